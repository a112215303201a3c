"""Our backward pass on Dawn, against the real torch, transformers and peft."""

import gradients
import logits
from harness import require, run_vitest, test


@test("gradients of LoRA factors and of all weights, over new seeds, are those of torch and peft")
def fresh(work):
    models = work / "trained"
    used = {model for model, _ in gradients.CASES.values()}
    for seed, (name, (model_type, config, dtype)) in enumerate({**logits.RANDOM, **logits.LATER}.items()):
        if name in used:
            logits.make_random(models / name, 2000 + seed, model_type, config, dtype)
    folder = work / "gradients"
    count = gradients.make(folder, str(models), 12)
    passed = run_vitest(folder, "src/node/gradients.gpu.test.ts", "FUSESTUDIO_GRADIENTS", "-t", "for a cpu")
    require(passed == len(gradients.CASES), f"{passed} of {len(gradients.CASES)} cases ran")
    return f"{count} gradients of {passed} models"
