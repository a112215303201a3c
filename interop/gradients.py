"""Losses and gradients of the real transformers and peft (float32, CPU) as goldens for training.

    python interop/gradients.py goldens/train

Asks the tiny random models of goldens/nn. Writes `gradients.safetensors` and `manifest.json`. Every
document of a batch is run by itself, so what packing must not mix is never together here. Of all
weights' gradients, large tensors are kept in part: some elements evenly apart, and a sum that all
elements enter.
"""

import argparse
import json
import math
import pathlib

import peft
import safetensors.torch
import torch
import transformers

import logits

KEPT = 64

LLAMA = dict(q="q_proj", k="k_proj", v="v_proj", o="o_proj", gate="gate_proj", up="up_proj", down="down_proj", embeddings="embed_tokens", head="lm_head")
PHI3 = dict(LLAMA, q="qkv_proj", k="qkv_proj", v="qkv_proj", gate="gate_up_proj", up="gate_up_proj")
GPT2 = dict(q="c_attn", k="c_attn", v="c_attn", o="attn.c_proj", gate="c_fc", up="c_fc", down="mlp.c_proj", embeddings="wte", head="lm_head")
NEOX = dict(q="query_key_value", k="query_key_value", v="query_key_value", o="attention.dense", gate="dense_h_to_4h", up="dense_h_to_4h", down="dense_4h_to_h", embeddings="embed_in", head="lm_head")
NAMES = {"gpt2": GPT2, "gpt_neox": NEOX, "phi3": PHI3}

LAYERS = ["q", "k", "v", "o", "gate", "up", "down"]
ALL = [*LAYERS, "embeddings", "head"]


def lora(modules, rank, alpha, rslora=False):
    return dict(kind="lora", modules=modules, rank=rank, alpha=alpha, rslora=rslora, dropout=0, seed=1)


# Odd ranks, tied and untied heads, fused and turned projections, windows, caps, biases, head norms.
CASES = {
    "llama q,v": ("llama", lora(["q", "v"], 2, 4)),
    "llama-odd all": ("llama-odd", lora(ALL, 3, 5, rslora=True)),
    "llama-biases tied": ("llama-biases", lora(ALL, 4, 8)),
    "llama-yarn mlp": ("llama-yarn", lora(["gate", "down"], 3, 3)),
    "mistral-window k,o": ("mistral-window", lora(["k", "o"], 2, 2)),
    "qwen2-window": ("qwen2-window", lora(LAYERS, 2, 3)),
    "qwen3": ("qwen3", lora(LAYERS, 4, 4)),
    "phi3 fused": ("phi3", lora(["v", "up", "head"], 3, 6)),
    "phi3-longrope": ("phi3-longrope", lora(["q", "down"], 1, 1)),
    "gemma2 all": ("gemma2", lora(ALL, 3, 3)),
    "gpt2 all": ("gpt2", lora(ALL, 2, 4)),
    "gpt-neox all": ("gpt-neox", lora(ALL, 2, 2)),
    "gpt-neox head": ("gpt-neox-serial", lora(["head"], 2, 2)),
    **{f"{name} full": (name, dict(kind="full")) for name in ["llama", "llama-odd", "llama-biases", "qwen3", "phi3", "gemma2", "gpt2", "gpt2-odd", "gpt-neox", "gpt-neox-serial", "mistral-window"]},
    "gemma3 all": ("gemma3", lora(ALL, 3, 3)),
    "gemma3 full": ("gemma3", dict(kind="full")),
    "gemma3-before-5": ("gemma3-before-5", lora(LAYERS, 2, 3)),
}


def draw_batch(generator, vocabulary):
    """Three documents, prompts that do not count, rows of 0 to 4 tokens, a weight that is not 1."""
    lengths = [9, 1, 16]
    count = sum(lengths)
    whole = lambda high, size: torch.randint(0, high, (size,), generator=generator).tolist()
    starts = [0, 9, 10]
    ids, labels = whole(vocabulary, count), whole(vocabulary, count)
    ids[3] = ids[12] = 0  # what some of them pad with, and do not train
    weights = [0.0 if t in (0, 1, 8, 9, 10, 11, 25) else 1.0 for t in range(count)]
    weights[5] = 0.5
    rows = []
    for _ in range(count):
        size = whole(5, 1)[0]
        chosen = torch.randperm(vocabulary, generator=generator)[:size].tolist()
        q = torch.softmax(2 * torch.randn(size, generator=generator), 0).tolist()
        rows.append([[i, p] for i, p in zip(chosen, q)])
    return dict(ids=ids, documents=starts, labels=labels, weights=weights, rows=rows, **{"lambda": 0.7})


def lose(model, batch):
    """Σ weight · clm and Σ weight · fusion over all positions."""
    ends = [*batch["documents"][1:], len(batch["ids"])]
    clm = fusion = torch.zeros((), dtype=torch.float64)
    for start, end in zip(batch["documents"], ends):
        out = model(torch.tensor([batch["ids"][start:end]]), use_cache=False).logits[0]
        logp = torch.log_softmax(out.double(), -1)
        for t in range(start, end):
            weight, row = batch["weights"][t], logp[t - start]
            clm = clm - weight * row[batch["labels"][t]]
            for token, q in batch["rows"][t]:
                fusion = fusion - weight * q * row[token]
    return clm, fusion


def start_value(index, shape):
    """Both sides fill the factors with the same numbers."""
    i = torch.arange(math.prod(shape), dtype=torch.float64)
    return (0.3 * torch.sin(1.7 * i + 3 * index)).float().reshape(shape)


def adapt(model, kind, target):
    names = NAMES.get(kind, LLAMA)
    config = peft.LoraConfig(
        task_type="CAUSAL_LM",
        target_modules=sorted({names[module] for module in target["modules"]}),
        r=target["rank"],
        lora_alpha=target["alpha"],
        use_rslora=target["rslora"],
        lora_dropout=0,
        fan_in_fan_out=kind == "gpt2",
    )
    model = peft.get_peft_model(model, config)
    saved = sorted(peft.get_peft_model_state_dict(model, save_embedding_layers=False))
    trained = {name.replace(".default", ""): p for name, p in model.named_parameters() if p.requires_grad}
    if not all(any(name.endswith((f"{names[m]}.lora_A.weight", f"{names[m]}.lora_embedding_A")) for name in saved) for m in target["modules"]):
        raise AssertionError(f"not all of {target['modules']} are among {saved}")
    if sorted(trained) != saved:
        raise AssertionError(f"peft saves {saved} and trains {sorted(trained)}")
    with torch.no_grad():
        for index, name in enumerate(saved):
            trained[name].copy_(start_value(index, trained[name].shape))
    return model, trained


def gradients(folder, target, batch, scale):
    model = logits.load(folder)
    kind = model.config.model_type
    if target["kind"] == "lora":
        model, trained = adapt(model, kind, target)
    else:
        # What the file calls it.
        file_name = lambda name: "embed_out.weight" if (kind, name) == ("gpt_neox", "lm_head.weight") else name
        trained = {file_name(name): parameter for name, parameter in model.named_parameters()}
    model.eval()
    clm, fusion = lose(model, batch)
    share = batch["lambda"]
    (scale * (share * clm + (1 - share) * fusion)).backward()
    return float(clm.detach()), float(fusion.detach()), {name: p.grad for name, p in trained.items()}


def keep(gradient):
    """What stands for a gradient: all of it, or some of it and Σ g · cos(i)."""
    flat = gradient.flatten()
    i = torch.arange(flat.numel(), dtype=torch.float64)
    total = float((flat.double() * torch.cos(i)).sum())
    size = float(flat.double().norm())
    if flat.numel() > KEPT:
        flat = flat[torch.floor(torch.arange(KEPT, dtype=torch.float64) * (flat.numel() / KEPT)).long()]
    return flat.clone().contiguous(), {"total": total, "norm": size, "largest": float(gradient.abs().max())}


def make(out, models, seed):
    """Asks the models in a folder about a batch; `models` is the folder's path as the tests read it."""
    out.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(seed)
    batch, scale = draw_batch(generator, 61), 1 / 16
    cases, tensors = {}, {}
    for name, (model, target) in CASES.items():
        clm, fusion, found = gradients(logits.ROOT / models / model, target, batch, scale)
        kept = {key: keep(gradient) for key, gradient in found.items()}
        tensors |= {f"{name}/{key}": values for key, (values, _) in kept.items()}
        facts = {key: fact for key, (_, fact) in kept.items()}
        cases[name] = {"model": f"{models}/{model}", "target": target, "clm": clm, "fusion": fusion, "facts": facts}
    safetensors.torch.save_file(tensors, out / "gradients.safetensors")
    versions = {"transformers": transformers.__version__, "peft": peft.__version__, "torch": torch.__version__}
    manifest = {"made_by": "interop/gradients.py", "versions": versions, "scale": scale, "batch": batch, "cases": cases}
    (out / "manifest.json").write_text(json.dumps(manifest) + "\n")
    return len(tensors)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=pathlib.Path)
    print(make(parser.parse_args().out, "goldens/nn/models", 11), "gradients")


if __name__ == "__main__":
    main()
