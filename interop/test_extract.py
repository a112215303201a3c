"""Extracted adapters in the real peft, and beside LAPACK and mergekit-extract-lora."""

import json

import numpy as np
import peft
import torch
from click.testing import CliRunner
from safetensors.torch import load_file

import logits
import test_mergekit  # noqa: F401  prepares transformers for mergekit
from harness import BASE, DRAMA, require, studio, test
from mergekit.scripts.extract_lora import main as mergekit_extract

RANK = 8
IDS = list(range(5, 45))


@torch.no_grad()
def ask(model, ids=IDS):
    return model.eval()(torch.tensor([ids]), use_cache=False).logits[0].float()


def weights(folder):
    return {name: tensor.double().numpy() for path in folder.glob("model*.safetensors") for name, tensor in load_file(path).items()}


def products(folder):
    """scale · B·A of each linear module of an adapter, in float64."""
    config, tensors = json.loads((folder / "adapter_config.json").read_text()), load_file(folder / "adapter_model.safetensors")
    found = {}
    for name, a in tensors.items():
        if not name.endswith("lora_A.weight"):
            continue
        module = name.removeprefix("base_model.model.").removesuffix(".lora_A.weight")
        rank = config["rank_pattern"].get(module, config["r"])
        require(a.shape[0] == rank, f"{module} has rank {a.shape[0]}, the config says {rank}")
        scale = config["alpha_pattern"].get(module, config["lora_alpha"]) / rank
        b = tensors[name.replace("lora_A", "lora_B")]
        found[module] = scale * b.double().numpy() @ a.double().numpy()
    return found


def lost(folder, base, model, rank):
    """The most energy of a matrix that an adapter loses beyond LAPACK's best of that rank, relative to that."""
    before, after, worst = weights(base), weights(model), 0
    for module, product in products(folder).items():
        change = after[f"{module}.weight"] - before[f"{module}.weight"]
        values = np.linalg.svd(change, compute_uv=False) ** 2
        best = values[:rank].sum()
        worst = max(worst, (((change - product) ** 2).sum() - (values.sum() - best)) / best)
    return worst


@test("an extracted adapter keeps the energy of LAPACK's best of its rank, as mergekit-extract-lora's does")
def energy(work):
    ours, theirs = work / "extracted", work / "extracted-mergekit"
    studio("extract", BASE, DRAMA, ours, "--rank", RANK)
    arguments = ["--model", str(DRAMA), "--base-model", str(BASE), "--out-path", str(theirs), "--max-rank", str(RANK)]
    done = CliRunner().invoke(mergekit_extract, arguments, catch_exceptions=False)
    require(done.exit_code == 0, done.output[-500:])
    require(products(ours).keys() == products(theirs).keys(), "other modules than mergekit's")
    mine, yours = lost(ours, BASE, DRAMA, RANK), lost(theirs, BASE, DRAMA, RANK)
    require(mine <= 1e-3, f"{mine:.1e} of the best energy lost")
    # Both save embeddings, head and norms whole; mergekit's factors are rounded to the model's bfloat16.
    saved = [{n: t for n, t in load_file(f / "adapter_model.safetensors").items() if "lora" not in n} for f in (ours, theirs)]
    require(saved[0].keys() == saved[1].keys(), f"saved whole: {saved[0].keys() ^ saved[1].keys()}")
    require(all(torch.equal(saved[0][name], saved[1][name]) for name in saved[0]), "a tensor that is saved whole differs")
    return f"{mine:.0e} lost beyond LAPACK's best; mergekit's {yours:.0e}"


def restores(work, name, base, model, *options):
    """At full rank the base with the adapter is the model in peft, wrapped and merged."""
    out = work / f"whole-{name}"
    studio("extract", base, model, out, "--rank", 4096, *options)
    before, after = ask(logits.load(base)), ask(logits.load(model))
    adapted = peft.PeftModel.from_pretrained(logits.load(base), out)
    wrapped = ask(adapted)
    merged = ask(adapted.merge_and_unload())
    moved = (after - before).abs().max().item()
    error = max((wrapped - after).abs().max().item(), (merged - after).abs().max().item())
    bound = 2e-4 * max(1, after.abs().max().item())
    require(moved > 100 * bound, f"{name}: the models differ by {moved:.1e} only: that tells nothing")
    require(error <= bound, f"{name}: peft is {error:.1e} from the model")
    return f"{name}: within {error:.0e} where {moved:.1f} was learned"


@test("at full rank peft turns the base into the model, at whatever alpha and energy")
def full_rank(work):
    return "; ".join([
        restores(work, "ember", BASE, DRAMA),
        restores(work, "alpha", BASE, DRAMA, "--alpha", 64, "--distribute-scale", "off"),
        restores(work, "energy", BASE, DRAMA, "--energy", 1),
    ])  # fmt: skip


def pair(work, name, model_type, config):
    """A random model, and one like it whose every parameter differs."""
    for seed, folder in enumerate(("base", "tuned")):
        logits.make_random(work / f"{name}-{folder}", 70 + seed, model_type, config, "float32")
    return work / f"{name}-base", work / f"{name}-tuned"


@test("peft restores Conv1D, biases, tied and untied heads, and embeddings as factors")
def architectures(work):
    gpt2 = dict(vocab_size=512, n_embd=36, n_layer=2, n_head=3, n_positions=64)
    qwen = dict(
        vocab_size=512, hidden_size=32, intermediate_size=56, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=64, tie_word_embeddings=True,
    )  # fmt: skip
    details = []
    for name, kind, config in [
        ("gpt2", "gpt2", dict(gpt2, tie_word_embeddings=True)),
        ("gpt2-untied", "gpt2", dict(gpt2, tie_word_embeddings=False)),
        ("qwen2", "qwen2", qwen),
        ("qwen3", "qwen3", dict(qwen, head_dim=8, tie_word_embeddings=False)),
    ]:
        base, tuned = pair(work, name, kind, config)
        details.append(restores(work, f"{name}-saved", base, tuned))
        details.append(restores(work, f"{name}-factors", base, tuned, "--embeddings", "lora"))
        made = load_file(work / f"whole-{name}-factors" / "adapter_model.safetensors")
        factored = any("lora_embedding_A" in tensor for tensor in made)
        require(factored != config["tie_word_embeddings"], f"{name}: tied embeddings are saved whole, others not")
    return "; ".join(details)


@test("matrices of different ranks load in peft, each with the energy that was asked for")
def ranks(work):
    out = work / "by-energy"
    told = studio("extract", BASE, DRAMA, out, "--energy", 0.5, "--rank", 64, "--exclude", "mlp,layers.0.")
    require(len({each["rank"] for each in told["matrices"]}) > 1, "all ranks are equal")
    before, after, made = weights(BASE), weights(DRAMA), products(out)
    require({each["module"] for each in told["matrices"]} == made.keys(), "other modules than were told")
    for each in told["matrices"]:
        change = after[f"{each['module']}.weight"] - before[f"{each['module']}.weight"]
        share = 1 - ((change - made[each["module"]]) ** 2).sum() / (change**2).sum()
        squares = np.linalg.svd(change, compute_uv=False) ** 2
        fewer = squares[: each["rank"] - 1].sum() / squares.sum()
        require(share >= 0.5 - 1e-4, f"{each['module']} keeps {share:.3f}")
        require(fewer < 0.5 + 1e-4, f"{each['module']}: a rank less would do")
        require(abs(share - each["kept"]) < 1e-4, f"{each['module']} keeps {share:.5f}, not {each['kept']:.5f}")
    adapted = peft.PeftModel.from_pretrained(logits.load(BASE), out)
    merged = adapted.merge_and_unload().state_dict()
    for module, product in made.items():
        want = before[f"{module}.weight"] + product
        error = np.abs(merged[f"{module}.weight"].double().numpy() - want).max()
        require(error <= 1e-5, f"{module}: W + B·A is off by {error:.1e} in peft")
    return f"ranks {sorted({each['rank'] for each in told['matrices']})}"
