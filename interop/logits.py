"""Logits of the real transformers (float32, CPU, eager attention) as goldens for the decoder.

    python interop/logits.py goldens/nn [--zoo DIR]

Writes `models/<name>/` (tiny random models of every architecture, fixed seeds), `logits.safetensors`
(one tensor a case: [positions, vocabulary]) and `manifest.json` (ids, positions, greedy continuation,
perplexity, versions). Models of the zoo are asked only where --zoo names it; their weights stay there.
"""

import argparse
import json
import math
import pathlib

import safetensors.torch
import torch
import transformers

ROOT = pathlib.Path(__file__).resolve().parent.parent
TINY = dict(vocab_size=61, hidden_size=36, num_hidden_layers=2, max_position_embeddings=64)
LLAMA = dict(TINY, intermediate_size=50, num_attention_heads=6, num_key_value_heads=2)


def rope(kind, **more):
    return {"rope_theta": 1000.0, "rope_type": kind, **more}


# name: (model_type, config, stored dtype). Sizes are odd on purpose: heads of 6, 7 and 10, rows that
# are not whole quads, windows shorter than the sequence.
RANDOM = {
    "llama": ("llama", LLAMA, "bfloat16"),
    "llama-biases": ("llama", dict(LLAMA, attention_bias=True, mlp_bias=True, tie_word_embeddings=True), "float32"),
    "llama-odd": ("llama", dict(LLAMA, hidden_size=35, num_attention_heads=5, num_key_value_heads=1, head_dim=10, intermediate_size=43), "float16"),
    "llama-linear": ("llama", dict(LLAMA, rope_parameters=rope("linear", factor=4.0)), "float16"),
    "llama-llama3": ("llama", dict(LLAMA, head_dim=16, rope_parameters=rope("llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32)), "bfloat16"),
    "llama-yarn": ("llama", dict(LLAMA, head_dim=16, rope_parameters=rope("yarn", factor=4.0, original_max_position_embeddings=16)), "bfloat16"),
    "mistral-window": ("mistral", dict(LLAMA, sliding_window=7), "bfloat16"),
    "qwen2": ("qwen2", dict(LLAMA, tie_word_embeddings=True), "bfloat16"),
    "qwen2-window": ("qwen2", dict(LLAMA, use_sliding_window=True, sliding_window=5, max_window_layers=1), "float32"),
    "qwen3": ("qwen3", dict(LLAMA, head_dim=14), "bfloat16"),
    "phi3": ("phi3", dict(LLAMA, sliding_window=11, pad_token_id=0), "bfloat16"),
    "phi3-partial": ("phi3", dict(LLAMA, hidden_size=48, rope_parameters=rope("default", partial_rotary_factor=0.75), pad_token_id=0), "float16"),
    "gemma2": ("gemma2", dict(LLAMA, head_dim=12, sliding_window=6, query_pre_attn_scalar=20, attn_logit_softcapping=3.0, final_logit_softcapping=4.0), "bfloat16"),
    "gpt-neox": ("gpt_neox", dict(TINY, intermediate_size=50, num_attention_heads=3, rope_parameters=rope("default", partial_rotary_factor=0.25)), "bfloat16"),
    "gpt-neox-serial": ("gpt_neox", dict(TINY, intermediate_size=51, num_attention_heads=2, use_parallel_residual=False, hidden_act="gelu_fast", rope_parameters=rope("default", partial_rotary_factor=1 / 3)), "float16"),
    "gpt2": ("gpt2", dict(vocab_size=61, n_embd=36, n_layer=2, n_head=3, n_positions=64, n_inner=50), "bfloat16"),
    "gpt2-odd": ("gpt2", dict(vocab_size=61, n_embd=35, n_layer=2, n_head=5, n_positions=64, n_inner=43, scale_attn_by_inverse_layer_idx=True, tie_word_embeddings=False), "float16"),
    "phi3-longrope": ("phi3", dict(LLAMA, max_position_embeddings=64, original_max_position_embeddings=16, pad_token_id=0, rope_parameters=rope("longrope", short_factor=[1.0, 1.1, 1.3], long_factor=[1.0, 2.0, 5.0], original_max_position_embeddings=16)), "bfloat16"),
    "phi3-longrope-short": ("phi3", dict(LLAMA, max_position_embeddings=128, original_max_position_embeddings=48, pad_token_id=0, rope_parameters=rope("longrope", short_factor=[1.0, 1.1, 1.3], long_factor=[1.0, 2.0, 5.0], original_max_position_embeddings=48)), "bfloat16"),
}
GEMMA3 = dict(LLAMA, num_hidden_layers=3, head_dim=12, sliding_window=6, query_pre_attn_scalar=20)
# Cases that came later draw their tokens apart, so that the others keep theirs.
LATER = {
    "gemma3": ("gemma3_text", dict(GEMMA3, layer_types=["sliding_attention", "full_attention", "sliding_attention"], final_logit_softcapping=4.0, rope_parameters={"sliding_attention": {"rope_type": "default", "rope_theta": 50.0}, "full_attention": rope("linear", factor=4.0)}), "bfloat16"),
    "gemma3-before-5": ("gemma3_text", dict(GEMMA3, tie_word_embeddings=False), "float16"),
}
# How transformers 4 wrote it.
SPELLED = {
    "gemma3-before-5": dict(rope_theta=1000.0, rope_local_base_freq=50.0, rope_scaling=dict(rope_type="linear", factor=2.0), sliding_window_pattern=2),
}
SAMPLES = ["ember-base", "flint-source", "slate-source"]
ZOO = ["stories260K", "babyllama-tok105", "gpt-nano-sort"]


def make_random(folder, seed, model_type, config, dtype):
    """A model whose every parameter matters: no bias is 0 and no norm is 1."""
    torch.manual_seed(seed)
    settings = dict(config, bos_token_id=1, eos_token_id=2)
    model = transformers.AutoModelForCausalLM.from_config(
        transformers.AutoConfig.for_model(model_type, **settings), attn_implementation="eager"
    )
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn_like(parameter)
            if name.endswith("bias"):
                parameter.copy_(0.3 * noise)
            elif parameter.dim() == 1:
                parameter.copy_((0.0 if model_type.startswith("gemma") else 1.0) + 0.2 * noise)
            else:
                parameter.copy_(noise * 1.5 / math.sqrt(parameter.shape[-1]))
    model.to(getattr(torch, dtype)).save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    if folder.name in SPELLED:
        path = folder / "config.json"
        written = json.loads(path.read_text())
        for key in ["rope_parameters", "layer_types", "_sliding_window_pattern"]:
            written.pop(key, None)
        path.write_text(json.dumps({**written, **SPELLED[folder.name]}, indent=2) + "\n")


def load(folder):
    config = transformers.AutoConfig.from_pretrained(folder)
    if getattr(config, "model_type", "") == "gpt2":
        config.loss_type = "ForCausalLM"
    return transformers.AutoModelForCausalLM.from_pretrained(
        folder, config=config, dtype=torch.float32, attn_implementation="eager"
    ).eval()


def greedy(model, prompt, count):
    """Token after token over the whole text: slow, and without a cache to be wrong about."""
    ids, gaps = list(prompt), []
    for _ in range(count):
        logits = model(torch.tensor([ids]), use_cache=False).logits[0, -1]
        top = torch.topk(logits, 2)
        gaps.append(float(top.values[0] - top.values[1]))
        ids.append(int(top.indices[0]))
    return ids[len(prompt) :], gaps


@torch.no_grad()
def ask(folder, ids, keep, greedy_tokens):
    model = load(folder)
    logits = model(torch.tensor([ids]), use_cache=False).logits[0].float()
    losses = torch.nn.functional.cross_entropy(
        logits[:-1].double(), torch.tensor(ids[1:]), reduction="none"
    )
    positions = sorted({round(i * (len(ids) - 1) / (keep - 1)) for i in range(keep)})
    case = {"ids": ids, "positions": positions, "nats": float(losses.sum())}
    if greedy_tokens:
        case["prompt"] = ids[:8]
        case["greedy"], case["gaps"] = greedy(model, ids[:8], greedy_tokens)
        case["gaps"] = [round(gap, 5) for gap in case["gaps"]]
    return case, logits[positions].contiguous()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--zoo", type=pathlib.Path)
    parser.add_argument("--keep", type=int, default=8, help="positions of a large vocabulary")
    arguments = parser.parse_args()
    out = arguments.out
    cases, tensors = {}, {}
    generator = torch.Generator().manual_seed(7)
    draw = lambda count, vocabulary: torch.randint(0, vocabulary, (count,), generator=generator).tolist()

    for seed, (name, (model_type, config, dtype)) in enumerate(RANDOM.items()):
        folder = out / "models" / name
        make_random(folder, seed, model_type, config, dtype)
        case, tensors[name] = ask(folder, draw(40, 61), 40, 0)
        cases[name] = {"model": f"goldens/nn/models/{name}", **case}
    generator_later = torch.Generator().manual_seed(8)
    for seed, (name, (model_type, config, dtype)) in enumerate(LATER.items(), len(RANDOM)):
        folder = out / "models" / name
        make_random(folder, seed, model_type, config, dtype)
        ids = torch.randint(0, 61, (40,), generator=generator_later).tolist()
        case, tensors[name] = ask(folder, ids, 40, 0)
        cases[name] = {"model": f"goldens/nn/models/{name}", **case}
    for name in SAMPLES:
        folder = ROOT / "public" / "samples" / name
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        text = (ROOT / "public/samples/texts/tales.jsonl").read_text()[:1200]
        ids = tokenizer(text)["input_ids"][:200]
        case, tensors[name] = ask(folder, ids, arguments.keep, 100 if name == "ember-base" else 0)
        cases[name] = {"model": f"public/samples/{name}", **case}
    for name in ZOO if arguments.zoo else []:
        folder = arguments.zoo / "models" / name
        config = json.loads((folder / "config.json").read_text())
        length = min(120, config.get("max_position_embeddings") or config["n_positions"])
        case, tensors[name] = ask(folder, draw(length, config["vocab_size"]), arguments.keep, 0)
        cases[name] = {"model": f"zoo/models/{name}", **case}

    safetensors.torch.save_file(tensors, out / "logits.safetensors")
    versions = {"transformers": transformers.__version__, "torch": torch.__version__}
    manifest = {"made_by": "interop/logits.py", "versions": versions, "cases": cases}
    (out / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    print(f"{len(cases)} cases, {sum(t.numel() for t in tensors.values())} logits")


if __name__ == "__main__":
    main()
