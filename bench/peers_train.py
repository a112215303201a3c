"""The same training steps in torch, with transformers and peft on the CPU, for bench/train.ts.

Reads one JSON request a line: {"file"} with {"model", "mode", "modules", "rank", "alpha", "lambda", "ids",
"rows", "seconds"}; answers with {"forward", "step", "loss", "rss"} or {"error": sentence}. Times are the
least of all rounds. One thread: processor time is then what the work takes, not what threads wait.
"""

import json
import os
import resource
import sys
import time

NAMES = dict(q="q_proj", k="k_proj", v="v_proj", o="o_proj", gate="gate_proj", up="up_proj", down="down_proj")


def open_model(asked):
    import peft
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(asked["model"], dtype=torch.float32)
    if asked["mode"] == "full":
        return model
    config = peft.LoraConfig(
        r=asked["rank"], lora_alpha=asked["alpha"], target_modules=[NAMES[m] for m in asked["modules"]], lora_dropout=0
    )
    return peft.get_peft_model(model, config)


def time_rounds(seconds, works):
    """The least times of each work, in turn until so many seconds are over, twice at least."""
    best = [None] * len(works)
    begun, rounds = time.perf_counter(), 0
    while rounds < 2 or time.perf_counter() - begun < seconds:
        for i, work in enumerate(works):
            start, busy = time.perf_counter(), time.process_time()
            work()
            took = dict(seconds=time.perf_counter() - start, cpuSeconds=time.process_time() - busy)
            best[i] = {key: min(took[key], (best[i] or took)[key]) for key in took}
        rounds += 1
    return best


def train(asked):
    import torch

    torch.set_num_threads(1)
    model = open_model(asked).train()
    trained = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=1e-4, weight_decay=0)
    ids = torch.tensor([asked["ids"]])
    entries = torch.tensor([[i for i, _ in row] for row in asked["rows"]])
    q = torch.tensor([[p for _, p in row] for row in asked["rows"]])
    share = asked["lambda"]

    def lose():
        logits = model(ids, use_cache=False).logits[0, :-1]
        logp = torch.log_softmax(logits, -1)
        clm = -logp.gather(1, ids[0, 1:, None]).mean()
        return share * clm - (1 - share) * (q * logp.gather(1, entries)).sum(1).mean()

    def forward():
        with torch.no_grad():
            lose()

    losses = []

    def step():
        optimiser.zero_grad()
        loss = lose()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        losses.append(float(loss.detach()))

    step()  # makes what is made once
    times = time_rounds(asked["seconds"], [forward, step])
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return dict(forward=times[0], step=times[1], loss=losses[0], rss=rss)


def main():
    # What a library prints must not get between the answers.
    answers, sys.stdout = sys.stdout, sys.stderr
    try:
        import peft
        import torch
        import transformers

        hello = {"version": f"torch {torch.__version__}, transformers {transformers.__version__}, peft {peft.__version__}"}
    except ImportError as error:
        hello = {"error": str(error)}
    print(json.dumps(hello), file=answers, flush=True)
    for line in sys.stdin:
        with open(json.loads(line)["file"], encoding="utf-8") as file:
            asked = json.load(file)
        os.remove(file.name)
        try:
            answer = train(asked)
        except Exception as error:  # told in the table, whatever it is
            answer = {"error": f"{type(error).__name__}: {error}"[:200]}
        print(json.dumps(answer), file=answers, flush=True)


main()
