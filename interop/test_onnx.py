"""A sample exported by torch.onnx under Optimum's names, in onnxruntime, against the real transformers."""

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from harness import BASE, require, test
from onnxExports import export, run

TEXT = "Once upon a time there was a king who had three sons. ROMEO: What light? 12 + 30 = 42"
# Float32 sums in another order; in f16 logits up to 16 have steps of 2^-7, and some roundings behind them.
EXPORTS = {
    "plain": ("float32", {}, 1e-4),
    "with external data": ("float32", {"external": True}, 1e-4),
    "in fp16": ("float16", {}, 3e-2),
}


def check_export(name, dtype, options, bound):
    def check(work):
        ids = AutoTokenizer.from_pretrained(BASE)(TEXT).input_ids
        model = AutoModelForCausalLM.from_pretrained(
            BASE, dtype=getattr(torch, dtype), attn_implementation="eager"
        ).eval()
        path = work / f"onnx {name}" / "onnx" / "model.onnx"
        export(model, path, **options)
        data = path.with_name("model.onnx_data")
        require(data.exists() == bool(options), f"{data.name} is there: {data.exists()}")
        with torch.no_grad():
            want = model.float()(torch.tensor([ids]), use_cache=False).logits[0]
        got = run(path, ids, [5, 1, len(ids) - 6])
        error = float((got - want).abs().max())
        require(error <= bound, f"logits differ by {error:.1e}, over {bound:.0e}")
        return f"{len(ids)} tokens in three calls, logits within {error:.1e}"

    return check


for name, (dtype, options, bound) in EXPORTS.items():
    test(f"ember-base exported to ONNX, {name}, gives transformers' logits in onnxruntime")(
        check_export(name, dtype, options, bound)
    )
