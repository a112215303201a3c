"""Our folders in the real transformers, against the same merge computed in torch."""

import json

import torch
from safetensors import safe_open
from transformers import AutoModelForCausalLM, AutoTokenizer

from harness import BASE, MERGED, merge, require, studio, test
from recipes import IN_TORCH, RECIPES, load, varm_in_torch

TEXT = "Once upon a time there was a king who had three sons. ROMEO: What light? 12 + 30 = 42"


def open_model(folder):
    """The model in float32, and what from_pretrained missed or did not expect."""
    model, info = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, output_loading_info=True
    )
    require(not info["missing_keys"], f"missing {info['missing_keys']}")
    require(not info["unexpected_keys"], f"unexpected {info['unexpected_keys']}")
    return model.eval()


def logits_of(model):
    ids = AutoTokenizer.from_pretrained(BASE)(TEXT, return_tensors="pt").input_ids
    with torch.no_grad():
        return model(ids).logits


def with_tensors(tensors, dtype):
    """The samples' architecture with the given weights, rounded once to a dtype."""
    model = open_model(BASE)
    state = {name: value.to(dtype).float() for name, value in tensors.items()}
    model.load_state_dict(state, strict=False)
    model.tie_weights()
    return model


def check_logits(name, out_dtype, relative):
    def check(work):
        folder = merge(work, f"{name}-{out_dtype}", RECIPES[name](out_dtype))
        ours = logits_of(open_model(folder))
        theirs = logits_of(with_tensors(IN_TORCH[name](), getattr(torch, out_dtype)))
        error = ((ours - theirs).abs().max() / theirs.abs().max()).item()
        require(torch.isfinite(ours).all(), "logits are not finite")
        require(error <= relative, f"logits differ by {error:.2e} of the largest, over {relative:.0e}")
        return f"logits within {error:.1e} of the largest"

    return check


for method in RECIPES:
    # Weights are a few float32 ulp apart, 1e-7 of themselves; six layers may add that up tenfold.
    test(f"{method} in float32 gives the logits of the same merge in torch")(
        check_logits(method, "float32", 1e-5)
    )
    # Where float32 and float64 fall on two sides of a tie, a weight is one bf16 ulp (2^-8) apart;
    # that happens to a few in 100,000.
    test(f"{method} in bfloat16 gives the logits of the same merge in torch")(
        check_logits(method, "bfloat16", 1e-3)
    )


@test("VaRM's shares are those of Eq. 7 in float64")
def check_shares(work):
    merge(work, "varm-float32", RECIPES["varm"]("float32"))
    ours = studio("weights", work / "varm-float32.yml")["tensors"]
    _, theirs = varm_in_torch()
    require(ours.keys() == theirs.keys(), "not the same tensors")
    error = max(
        abs(a - b) for name in theirs for a, b in zip(ours[name].values(), theirs[name])
    )
    # Block sums in float32 are off by 1e-6 of themselves at most.
    require(error <= 1e-6, f"a share is off by {error:.1e}")
    return f"within {error:.1e}"


@test("a merge in several shards loads and gives the bits of the unsharded one")
def check_shards(work):
    whole = merge(work, "linear-bfloat16", RECIPES["linear"]("bfloat16"))
    cut = merge(work, "linear-shards", RECIPES["linear"]("bfloat16"), "--shard-size", "500KB")
    files = sorted(path.name for path in cut.glob("*.safetensors"))
    require(len(files) >= 4, f"only {files}")
    index = json.loads((cut / "model.safetensors.index.json").read_text())
    one, other = load(whole), load(cut)
    require(one.keys() == other.keys() == index["weight_map"].keys(), "not the same tensors")
    require(all(torch.equal(one[name], other[name]) for name in one), "values differ")
    size = sum(2 * value.numel() for value in one.values())
    require(index["metadata"]["total_size"] == size, f"total_size is not {size}")
    require(torch.equal(logits_of(open_model(whole)), logits_of(open_model(cut))), "logits differ")
    return f"{len(files)} shards"


@test("safetensors' own reader finds format pt and every tensor in its file")
def check_reader(work):
    cut = merge(work, "linear-shards", RECIPES["linear"]("bfloat16"), "--shard-size", "500KB")
    index = json.loads((cut / "model.safetensors.index.json").read_text())["weight_map"]
    for path in cut.glob("*.safetensors"):
        with safe_open(path, framework="pt") as file:
            require(file.metadata()["format"] == "pt", f"{path.name} has {file.metadata()}")
            for name in file.keys():
                require(index[name] == path.name, f"{name} is not in {index[name]}")
                require(file.get_tensor(name).dtype == torch.bfloat16, f"{name} is not bf16")


@test("the tokenizer and the generation config come along and work")
def check_tokenizer(work):
    folder = merge(work, "varm-bfloat16", RECIPES["varm"]("bfloat16"))
    ours, theirs = (AutoTokenizer.from_pretrained(path) for path in (folder, BASE))
    require(ours(TEXT).input_ids == theirs(TEXT).input_ids, "other token ids")
    model = AutoModelForCausalLM.from_pretrained(folder)
    require(model.dtype == torch.bfloat16, f"config.json gave {model.dtype}")
    tokens = model.generate(**ours("Once", return_tensors="pt"), max_new_tokens=8, do_sample=False)
    require(tokens.shape[1] > 1, "nothing was generated")


@test("every merged folder passes its own SHA256SUMS")
def check_sums(_):
    import hashlib

    require(MERGED, "nothing was merged")
    for folder in MERGED.values():
        for line in (folder / "SHA256SUMS").read_text().splitlines():
            wanted, name = line.split("  ")
            got = hashlib.sha256((folder / name).read_bytes()).hexdigest()
            require(got == wanted, f"{folder.name}/{name}")
    return f"{len(MERGED)} folders"


def check_inspect(dtype, shard):
    def check(work):
        model = AutoModelForCausalLM.from_pretrained(BASE, dtype=dtype)
        folder = work / f"saved-{dtype}"
        model.save_pretrained(folder, max_shard_size=shard)
        rows = studio("inspect", folder)["tensors"]
        tensors = load(folder)
        require(rows.keys() == tensors.keys(), "not the same tensors")
        worst = 0.0
        for name, value in tensors.items():
            row = rows[name]
            require(row["shape"] == list(value.shape), f"{name} has the shape {row['shape']}")
            exact = {"count": value.numel(), "min": value.min(), "max": value.max(), "zeros": (value == 0).sum()}
            for key, wanted in exact.items():
                require(row[key] == float(wanted), f"{name}: {key} is {row[key]}, not {wanted}")
            scale = value.abs().max()
            moments = {
                "mean": (value.mean(), scale),
                "std": (value.std(correction=0), scale),
                "l1": (value.abs().sum(), value.abs().sum()),
                "l2": (value.norm(), value.norm()),
            }
            for key, (wanted, unit) in moments.items():
                worst = max(worst, abs(row[key] - wanted.item()) / unit.item())
        # Both sum in float64; torch adds up to 131,072 terms pairwise.
        require(worst <= 1e-12, f"a moment is off by {worst:.1e}")
        return f"within {worst:.1e}"

    return check


for dtype, shard in (("float16", "500KB"), ("float32", "5GB")):
    test(f"inspect gives torch's statistics of a {dtype} checkpoint that transformers saved")(
        check_inspect(getattr(torch, dtype), shard)
    )
