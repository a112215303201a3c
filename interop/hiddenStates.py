"""Hidden states of the real transformers (float32, CPU, eager attention) as goldens for the decoder.

    python interop/hiddenStates.py goldens/nn

Writes `hidden.json`: of some models beside it the input of every layer, at the last of 40 tokens and as
the mean over them.
"""

import json
import pathlib
import sys

import torch
import transformers

from logits import load

NAMES = ["llama", "mistral-window", "qwen3", "gemma2", "gpt2", "gpt-neox", "phi3-longrope"]


@torch.no_grad()
def states(folder, ids):
    hidden = load(folder)(torch.tensor([ids]), output_hidden_states=True, use_cache=False).hidden_states[:-1]
    rounded = lambda vector: [float(f"{value:.8g}") for value in vector.tolist()]
    return {
        "ids": ids,
        "last": [rounded(layer[0, -1]) for layer in hidden],
        "mean": [rounded(layer[0].double().mean(0)) for layer in hidden],
    }


def main():
    out = pathlib.Path(sys.argv[1])
    generator = torch.Generator().manual_seed(11)
    draw = lambda: torch.randint(0, 61, (40,), generator=generator).tolist()
    cases = {name: states(out / "models" / name, draw()) for name in NAMES}
    versions = {"transformers": transformers.__version__, "torch": torch.__version__}
    golden = {"made_by": "interop/hiddenStates.py", "versions": versions, "cases": cases}
    (out / "hidden.json").write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main()
