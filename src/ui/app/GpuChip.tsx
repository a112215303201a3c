import { Popover, Select } from "@mantine/core";
import { useStore } from "zustand";
import { attempt } from "../stores/actions.ts";
import type { Studio } from "../stores/studio.ts";
import { formatBytes } from "../theme/format.ts";
import { helpFor } from "./gpuHelp.ts";

const BUDGETS = [0.5e9, 1e9, 2e9, 4e9, 8e9, 16e9, 32e9];

/** GPU chip: adapter and memory budget; or why there is none, and what to do. */
export function GpuChip({ studio }: { readonly studio: Studio }) {
  const gpu = useStore(studio.environment, (state) => state.environment?.gpu);
  if (!gpu) return <span className="chip faint">Looking for a GPU…</span>;
  const setBudget = (bytes: number) =>
    attempt(studio, "GPU memory", async () => {
      const environment = await studio.engine.setGpuBudget(bytes);
      studio.environment.setState({ environment });
    });
  const tone = gpu.available ? (gpu.software ? "warn" : "ok") : "bad";
  return (
    <Popover position="bottom-end" width={320}>
      <Popover.Target>
        <button type="button" className="chip gpu-chip">
          <i className="dot" data-tone={tone} />
          <span className="ellipsis num">
            {gpu.available
              ? `WebGPU · ${gpu.name}${gpu.software ? " (software)" : ""} · ${formatBytes(gpu.budgetBytes)}`
              : "No GPU"}
          </span>
        </button>
      </Popover.Target>
      <Popover.Dropdown>
        {gpu.available ? (
          <div className="popover">
            <b>{gpu.name}</b>
            {gpu.software && (
              <p className="small muted">
                A software adapter: everything works and is right, but slowly. Check that hardware
                acceleration is on in the browser’s settings.
              </p>
            )}
            <Select
              label="GPU memory to use"
              description="WebGPU tells no memory size, so you decide. Takes effect with the next job."
              data={budgetOptions(gpu.budgetBytes)}
              value={String(gpu.budgetBytes)}
              allowDeselect={false}
              comboboxProps={{ withinPortal: false }}
              onChange={(bytes) => bytes && setBudget(Number(bytes))}
            />
          </div>
        ) : (
          <div className="popover">
            <b>No GPU to compute on</b>
            <p className="small">
              {gpu.failure.message} <span className="mono faint">{gpu.failure.code}</span>
            </p>
            <ul className="small popover-list">
              {helpFor(gpu.failure.code, navigator.userAgent, window.isSecureContext).map(
                (line) => (
                  <li key={line}>{line}</li>
                ),
              )}
            </ul>
            <p className="small muted">
              Import, headers, recipes and plans work without a GPU all the same.
            </p>
          </div>
        )}
      </Popover.Dropdown>
    </Popover>
  );
}

function budgetOptions(present: number) {
  const all = [...new Set([...BUDGETS, present])].sort((a, b) => a - b);
  return all.map((bytes) => ({ value: String(bytes), label: formatBytes(bytes) }));
}
