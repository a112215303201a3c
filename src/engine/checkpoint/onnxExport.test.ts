import { expect, test } from "vitest";
import { chooseGraph } from "./onnxExport.ts";

test.each([
  [["model.onnx"], "model.onnx"],
  [["model.onnx", "onnx/model.onnx"], "onnx/model.onnx"],
  [["onnx/model_quantized.onnx"], "onnx/model_quantized.onnx"],
  [["onnx/model_q4f16.onnx", "onnx/model_q4.onnx", "onnx/model_int8.onnx"], "onnx/model_int8.onnx"],
  [["onnx/model_quantized.onnx", "onnx/model_fp16.onnx"], "onnx/model_fp16.onnx"],
  [["onnx/model_fp16.onnx", "onnx/model.onnx", "onnx/model_O3.onnx"], "onnx/model.onnx"],
  [
    [
      "onnx/decoder_model.onnx",
      "onnx/decoder_model_merged.onnx",
      "onnx/decoder_with_past_model.onnx",
    ],
    "onnx/decoder_model_merged.onnx",
  ],
  // More precise rather than better named.
  [["onnx/model_q4.onnx", "onnx/decoder_model_merged.onnx"], "onnx/decoder_model_merged.onnx"],
  [["onnx/model_mine.onnx", "onnx/model_bnb4.onnx"], "onnx/model_bnb4.onnx"],
  [["onnx/model_b.onnx", "onnx/model_a.onnx"], "onnx/model_a.onnx"],
  [["onnx/tiny.onnx"], "onnx/tiny.onnx"],
  [["onnx/encoder.onnx", "onnx/decoder.onnx"], undefined],
  [["other/model.onnx", "model.onnx_data"], undefined],
])("of %j it is %s that runs", (paths, chosen) => {
  expect(chooseGraph(paths)).toBe(chosen);
  expect(chooseGraph(paths.toReversed())).toBe(chosen);
});
