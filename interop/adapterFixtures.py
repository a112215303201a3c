"""Tiny models, PEFT adapters of all kinds on them, and what peft makes of the two: the goldens of
goldens/adapters, and with another seed and size the inputs of test_adapters.py.

    python interop/adapterFixtures.py

Needs requirements.txt. A case is a folder: adapter_config.json, adapter_model.safetensors and
merged.safetensors, the tensors of merge_and_unload that differ from the base's, as transformers saves
them. Two kinds of case are put together from peft's own deltas, since merge_and_unload does not do
them: a module that the other layout stores fused or split, and a tied head, where peft 0.21.2 merges
into the one tensor that head and embedding share, and so changes what the adapter computes.
"""

import shutil
import sys
import tempfile
from pathlib import Path

import torch
import transformers
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file

GOLDENS = Path(__file__).resolve().parent.parent / "goldens" / "adapters"
transformers.logging.set_verbosity_error()


def configs(hidden, vocab, inner):
    llama = dict(
        vocab_size=vocab, hidden_size=hidden, intermediate_size=inner, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=32, bos_token_id=1,
        eos_token_id=2, pad_token_id=0,
    )  # fmt: skip
    gpt2 = dict(
        vocab_size=vocab, n_embd=hidden, n_layer=2, n_head=4, n_positions=32, bos_token_id=1,
        eos_token_id=2, pad_token_id=0,
    )  # fmt: skip
    return {
        "llama": transformers.LlamaConfig(**llama, attention_bias=True),
        "tied": transformers.LlamaConfig(**llama, tie_word_embeddings=True),
        "split": transformers.LlamaConfig(**llama),
        "phi3": transformers.Phi3Config(**llama),
        "gpt2": transformers.GPT2Config(**gpt2),
    }


QVD = ["q_proj", "v_proj", "down_proj"]
CASES = {
    "plain": ("llama", dict(target_modules=QVD)),
    "rslora": ("llama", dict(target_modules=QVD, use_rslora=True)),
    "patterns": (
        "llama",
        dict(
            target_modules=["q_proj", "k_proj", "o_proj", "up_proj"],
            rank_pattern={"k_proj": 2, r"layers\.1\.self_attn\.o_proj": 3},
            alpha_pattern={"q_proj": 3, "^model.layers.0.mlp.up_proj": 5},
        ),
    ),
    "dora": ("llama", dict(target_modules=QVD, use_dora=True)),
    "bias-all": ("llama", dict(target_modules=["q_proj"], bias="all")),
    "bias-lora": ("llama", dict(target_modules=["q_proj"], bias="lora_only")),
    "lora-bias": ("llama", dict(target_modules=["q_proj"], lora_bias=True)),
    "saved": ("llama", dict(target_modules=["q_proj"], modules_to_save=["embed_tokens", "lm_head"])),
    "embedding": ("llama", dict(target_modules=["q_proj", "embed_tokens", "lm_head"])),
    "embedding-dora": ("llama", dict(target_modules=["q_proj", "embed_tokens"], use_dora=True)),
    "tokens": ("llama", dict(target_modules=["q_proj"], trainable_token_indices=[1, 5, 9])),
    "conv1d": ("gpt2", dict(target_modules=["c_attn", "c_proj", "wte"])),
    "conv1d-dora": ("gpt2", dict(target_modules=["c_attn", "c_proj"], use_dora=True)),
    "tied-saved": ("tied", dict(target_modules=["q_proj"], modules_to_save=["embed_tokens"])),
    "tied-tokens": ("tied", dict(target_modules=["q_proj"], trainable_token_indices=[1, 5])),
    "tied-lora": ("tied", dict(target_modules=["embed_tokens", "lm_head"])),
    "onto-fused": ("split", dict(target_modules=["q_proj", "v_proj", "up_proj", "down_proj"])),
    "onto-fused-dora": ("split", dict(target_modules=["k_proj", "gate_proj"], use_dora=True)),
    "onto-split": ("phi3", dict(target_modules=["qkv_proj", "gate_up_proj"])),
    "onto-split-dora": ("phi3", dict(target_modules=["qkv_proj"], use_dora=True)),
}
FUSED = {"qkv_proj": ["q_proj", "k_proj", "v_proj"], "gate_up_proj": ["gate_proj", "up_proj"]}


def fuse(tensors):
    """A Llama's tensors in Phi-3's layout."""
    fused = {}
    for name, value in tensors.items():
        whole = next((w for w, parts in FUSED.items() if f".{parts[0]}." in name), None)
        if whole:
            parts = [tensors[name.replace(FUSED[whole][0], part)] for part in FUSED[whole]]
            fused[name.replace(FUSED[whole][0], whole)] = torch.cat(parts)
        elif not any(f".{part}." in name for parts in FUSED.values() for part in parts):
            fused[name] = value
    return fused


def load(folder):
    return {k: v for file in sorted(Path(folder).glob("*.safetensors")) for k, v in load_file(file).items()}


def make_bases(out, hidden, vocab, inner, dtype, seed):
    torch.manual_seed(seed)
    for name, config in configs(hidden, vocab, inner).items():
        folder = out / "bases" / name
        if name == "phi3":
            folder.mkdir(parents=True)
            config.architectures = ["Phi3ForCausalLM"]
            config.dtype = dtype
            config.save_pretrained(folder)
            save_file(fuse(load(out / "bases" / "split")), folder / "model.safetensors", {"format": "pt"})
            continue
        model = transformers.AutoModelForCausalLM.from_config(config)
        for parameter in model.parameters():
            parameter.data.normal_(0, 0.1)
        model.to(torch.float32 if name == "gpt2" else dtype).save_pretrained(folder)
    for file in (out / "bases").glob("*/generation_config.json"):
        file.unlink()


def train(model, options, rank, dtype):
    """An adapter whose every value was moved, as training would."""
    model = get_peft_model(model, LoraConfig(r=rank, lora_alpha=6, init_lora_weights=False, task_type="CAUSAL_LM", **options))
    for parameter in model.parameters():
        if parameter.requires_grad:
            scale = 0.1 * parameter.data.float().std().nan_to_num(1.0).clamp(min=0.1)
            parameter.data += scale * torch.randn_like(parameter.data)
    return model.to(dtype) if dtype else model


def merge(base, adapter, work):
    model = PeftModel.from_pretrained(transformers.AutoModelForCausalLM.from_pretrained(base), adapter)
    tied = model.get_base_model().config.tie_word_embeddings
    deltas = {n: m.get_delta_weight("default") for n, m in model.named_modules() if tied and hasattr(m, "get_delta_weight")}
    own = {n: m for n, m in deltas.items() if n.endswith(("embed_tokens", "wte", "lm_head"))}
    model.merge_and_unload().save_pretrained(work)
    merged = load(work)
    if own:  # each from the embedding that was shared in training
        before = load(base)
        shared = before.get("model.embed_tokens.weight", before.get("transformer.wte.weight"))
        merged["lm_head.weight"] = shared
        for name, delta in own.items():
            if not name.endswith("lm_head"):  # as lora.Embedding.merge adds it
                delta = delta.to(shared.dtype)
            merged[f"{name.removeprefix('base_model.model.')}.weight"] = (shared + delta).to(shared.dtype)
    return merged


def make_case(out, name, rank, dtype, seed):
    base, options = CASES[name]
    torch.manual_seed(seed)
    adapter = out / name
    model = transformers.AutoModelForCausalLM.from_pretrained(out / "bases" / base)
    train(model, options, rank, dtype).save_pretrained(adapter)
    (adapter / "README.md").unlink(missing_ok=True)
    config = (adapter / "adapter_config.json").read_text().replace(str(out / "bases"), "acme")
    (adapter / "adapter_config.json").write_text(config)
    with tempfile.TemporaryDirectory() as work:
        merged = merge(out / "bases" / base, adapter, work)
    onto = base
    if name.startswith("onto-fused"):
        onto, merged = "phi3", fuse(merged)
    elif name.startswith("onto-split"):
        onto = "split"
        rows = {k: v.shape[0] for k, v in load(out / "bases" / onto).items()}
        for whole, parts in FUSED.items():
            for key in [key for key in merged if f".{whole}." in key]:
                names = [key.replace(whole, part) for part in parts]
                merged.update(zip(names, merged.pop(key).split([rows[n] for n in names])))
    before = load(out / "bases" / onto)
    changed = {k: v.contiguous() for k, v in merged.items() if k not in before or not torch.equal(v, before[k])}
    if not changed:
        raise AssertionError(f"{name} changes nothing")
    save_file(changed, adapter / "merged.safetensors", {"base": onto})


def make_all(out, hidden=8, vocab=16, inner=12, rank=4, dtype=torch.bfloat16, adapter_dtype=None, seed=0, only=CASES):
    make_bases(out, hidden, vocab, inner, dtype, seed)
    for number, name in enumerate(only):
        make_case(out, name, rank, adapter_dtype, seed + number)


if __name__ == "__main__":
    shutil.rmtree(GOLDENS, ignore_errors=True)
    GOLDENS.mkdir(parents=True)
    make_all(GOLDENS)
    print(f"{len(CASES)} cases in {GOLDENS}", file=sys.stderr)
