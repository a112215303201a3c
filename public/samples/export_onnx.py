"""Export a sample model to ONNX with Optimum's input and output names (no cache). usage: export_onnx.py MODEL_FOLDER"""
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from transformers import AutoModelForCausalLM


class Logits(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask, position_ids):
        return self.model(input_ids=input_ids, attention_mask=attention_mask, position_ids=position_ids, use_cache=False).logits


folder = Path(sys.argv[1])
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
ids = torch.randint(3, 300, (2, 17))
inputs = (ids, torch.ones_like(ids), torch.arange(17).expand(2, 17).contiguous())
axes = {0: torch.export.Dim("batch", max=64), 1: torch.export.Dim("sequence", max=256)}
(folder / "onnx").mkdir(exist_ok=True)
program = torch.onnx.export(Logits(model), inputs, dynamo=True, input_names=["input_ids", "attention_mask", "position_ids"], output_names=["logits"], dynamic_shapes=(axes, axes, axes), opset_version=18)
program.save(folder / "onnx" / "model.onnx", external_data=False)
proto = onnx.load(folder / "onnx" / "model.onnx")
for item in (proto, proto.graph, *proto.graph.node, *proto.graph.value_info, *proto.graph.input, *proto.graph.output, *proto.graph.initializer, *proto.functions):
    del item.metadata_props[:]  # the exporter leaves stack traces with local paths
    item.doc_string = ""
onnx.save(proto, folder / "onnx" / "model.onnx")
session = onnxruntime.InferenceSession(folder / "onnx" / "model.onnx")
for length in (1, 5, 100):
    ids = torch.randint(3, 300, (1, length))
    got = session.run(None, {"input_ids": ids.numpy(), "attention_mask": np.ones((1, length), np.int64), "position_ids": np.arange(length)[None]})[0]
    with torch.no_grad():
        want = model(ids).logits.numpy()
    print(length, "largest difference", float(np.abs(got - want).max()))
