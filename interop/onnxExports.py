"""Tiny decoders exported to ONNX under Optimum's names, and the logits that others compute with them.

    python interop/onnxExports.py goldens/onnx

Needs torch, transformers, onnx, onnxscript and onnxruntime. Writes one folder a model (config.json,
model.safetensors, onnx/model.onnx and its external data), `logits.safetensors` ([tokens, vocabulary] a
case) and `manifest.json`. Logits are transformers' in float32; of quantised models, onnxruntime's.
"""

import argparse
import json
import math
import pathlib

import numpy as np
import onnx
import onnxruntime
import safetensors.torch
import torch
import transformers
from onnxruntime.quantization import QuantType, matmul_nbits_quantizer, quantize_dynamic
from transformers.cache_utils import DynamicCache

TINY = dict(
    vocab_size=61, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, max_position_embeddings=128, bos_token_id=1, eos_token_id=2,
)
CASES = {
    "with-past": ("llama", "float32", {}),
    "without-past": ("qwen2", "float32", dict(past=False)),
    "external-data": ("qwen2", "float32", dict(external=True)),
    "half": ("llama", "float16", {}),
    "int8": ("llama", "float32", dict(quantise="int8")),
    "int4": ("llama", "float32", dict(quantise="int4")),
    "merged": ("llama", "float32", dict(merged=True)),
}


class Flat(torch.nn.Module):
    """A decoder over plain tensors: keys and values in, keys and values out."""

    def __init__(self, model, past):
        super().__init__()
        self.model = model
        self.layers = model.config.num_hidden_layers if past else 0

    def forward(self, input_ids, attention_mask, position_ids, past=()):
        pairs = [(past[2 * i], past[2 * i + 1]) for i in range(self.layers)]
        cache = DynamicCache(pairs) if pairs else None
        out = self.model(
            input_ids=input_ids, attention_mask=attention_mask, position_ids=position_ids,
            past_key_values=cache, use_cache=cache is not None,
        )
        present = [x for layer in cache.layers for x in (layer.keys, layer.values)] if cache else []
        return (out.logits, *present)


def make_model(seed, kind, dtype):
    """A model whose every parameter matters: no bias is 0 and no norm is 1."""
    torch.manual_seed(seed)
    config = transformers.AutoConfig.for_model(kind, **TINY)
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager")
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn_like(parameter)
            if name.endswith("bias"):
                parameter.copy_(0.3 * noise)
            elif parameter.dim() == 1:
                parameter.copy_(1.0 + 0.2 * noise)
            else:
                parameter.copy_(noise * 1.5 / math.sqrt(parameter.shape[-1]))
    return model.to(getattr(torch, dtype)).eval()


def export(model, path, past=True, external=False):
    """torch.onnx.export with dynamic lengths; what it leaves of stack traces and paths is removed."""
    config = model.config
    heads = config.num_key_value_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    before, now = 3, 5
    total = before + now if past else now
    ids = torch.randint(3, config.vocab_size, (1, now))
    keys = [torch.randn(1, heads, before, width, dtype=model.dtype) for _ in range(2 * config.num_hidden_layers)]
    positions = torch.arange(total - now, total)[None]
    inputs = (ids, torch.ones(1, total, dtype=torch.int64), positions, *([keys] if past else []))
    names = [f"{i}.{part}" for i in range(config.num_hidden_layers) for part in ("key", "value")] if past else []
    axis = torch.export.Dim.DYNAMIC
    shapes = ({1: axis}, {1: axis}, {1: axis}, *([[{2: axis}] * len(keys)] if past else []))
    with torch.no_grad():
        program = torch.onnx.export(
            Flat(model, past), inputs, dynamo=True, dynamic_shapes=shapes, opset_version=18, verbose=False,
            input_names=["input_ids", "attention_mask", "position_ids", *(f"past_key_values.{n}" for n in names)],
            output_names=["logits", *(f"present.{n}" for n in names)],
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    program.save(path, external_data=False)
    proto = onnx.load(path)
    graph = proto.graph
    for item in (proto, graph, *graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer, *proto.functions):
        del item.metadata_props[:]
        item.doc_string = ""
    path.unlink()
    if external:
        onnx.save(proto, path, save_as_external_data=True, location=f"{path.name}_data", size_threshold=256)
    else:
        onnx.save(proto, path)


def quantise(path, kind):
    plain = path.with_name("plain.onnx")
    path.rename(plain)
    if kind == "int8":
        # Signed weights saturate on CPUs without VNNI, and give other logits there.
        quantize_dynamic(plain, path, weight_type=QuantType.QUInt8)
    else:
        quantiser = matmul_nbits_quantizer.MatMulNBitsQuantizer(onnx.load(plain), block_size=16, is_symmetric=True)
        quantiser.process()
        quantiser.model.save_model_to_file(str(path))
    plain.unlink()


def merge(path):
    """As Optimum's merged decoders: an `If` on `use_cache_branch`, whose one side ignores the past."""
    proto = onnx.load(path)
    graph = proto.graph
    past = [i for i in graph.input if i.name.startswith("past_key_values.")]
    known = {i.name for i in (*graph.input, *graph.initializer)}
    empty = {}
    for i in past:
        shape = [1, *(d.dim_value for d in i.type.tensor_type.shape.dim[1:])]
        shape[2] = 0
        empty[i.name] = onnx.helper.make_tensor(f"no.{i.name}", i.type.tensor_type.elem_type, shape, [])

    def branch(name, renamed):
        nodes = []
        for node in graph.node:
            node = onnx.NodeProto.FromString(node.SerializeToString())
            node.input[:] = [renamed.get(x, x if x in known or x == "" else f"{name}.{x}") for x in node.input]
            node.output[:] = [x and f"{name}.{x}" for x in node.output]
            node.name = f"{name}.{node.name}"
            nodes.append(node)
        outputs = [onnx.helper.make_empty_tensor_value_info(f"{name}.{o.name}") for o in graph.output]
        made = list(empty.values()) if renamed else []
        return onnx.helper.make_graph(nodes, name, [], outputs, made)

    chosen = onnx.helper.make_node(
        "If", ["use_cache_branch"], [o.name for o in graph.output], name="choice",
        then_branch=branch("with", {}), else_branch=branch("without", {k: t.name for k, t in empty.items()}),
    )
    switch = onnx.helper.make_tensor_value_info("use_cache_branch", onnx.TensorProto.BOOL, [1])
    whole = onnx.helper.make_graph(
        [chosen], "merged", [*graph.input, switch], list(graph.output), list(graph.initializer),
    )
    merged = onnx.helper.make_model(whole, opset_imports=proto.opset_import, ir_version=proto.ir_version)
    merged.functions.extend(proto.functions)
    path.unlink()
    onnx.save(merged, path.with_name("decoder_model_merged.onnx"))


def run(path, ids, calls):
    """Logits of an export in onnxruntime, the ids given in several calls where it has a cache."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    types = {"tensor(float)": np.float32, "tensor(float16)": np.float16}
    past = {
        i.name: np.zeros((1, i.shape[1], 0, i.shape[3]), types[i.type])
        for i in session.get_inputs() if i.name.startswith("past_key_values.")
    }
    rows, start = [], 0
    for count in calls if past else [len(ids)]:
        stop = start + count
        feeds = {
            "input_ids": np.array([ids[start:stop]]), "attention_mask": np.ones((1, stop), np.int64),
            "position_ids": np.arange(start, stop)[None], **past,
        }
        if any(i.name == "use_cache_branch" for i in session.get_inputs()):
            feeds["use_cache_branch"] = np.array([start > 0])
        out = dict(zip([o.name for o in session.get_outputs()], session.run(None, feeds)))
        past = {name: out[name.replace("past_key_values", "present")] for name in past}
        rows.append(out["logits"][0].astype(np.float32))
        start = stop
    return torch.from_numpy(np.concatenate(rows))


def make_case(seed, name, kind, dtype, options, folder):
    model = make_model(seed, kind, dtype)
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    path = folder / "onnx" / "model.onnx"
    quantised, merged = options.pop("quantise", None), options.pop("merged", False)
    export(model, path, **options)
    if quantised:
        quantise(path, quantised)
    if merged:
        merge(path)
        path = path.with_name("decoder_model_merged.onnx")
    ids = torch.randint(0, 61, (40,), generator=torch.Generator().manual_seed(seed)).tolist()
    with torch.no_grad():
        want = model.float()(torch.tensor([ids]), use_cache=False).logits[0]
    got = run(path, ids, [7, 1, 32])
    error = float((got - want).abs().max())
    print(f"{name}: onnxruntime differs from transformers by {error:.2e} of {float(want.abs().max()):.1f}")
    files = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
    case = {"ids": ids, "files": files, "made_with": "onnxruntime" if quantised else "transformers"}
    return case, (got if quantised else want).contiguous()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=pathlib.Path)
    out = parser.parse_args().out
    cases, tensors = {}, {}
    for seed, (name, (kind, dtype, options)) in enumerate(CASES.items()):
        cases[name], tensors[name] = make_case(seed, name, kind, dtype, dict(options), out / name)
    safetensors.torch.save_file(tensors, out / "logits.safetensors")
    versions = {m.__name__: m.__version__ for m in (transformers, torch, onnx, onnxruntime)}
    manifest = {"made_by": "interop/onnxExports.py", "versions": versions, "cases": cases}
    (out / "manifest.json").write_text(json.dumps(manifest) + "\n")


if __name__ == "__main__":
    main()
