import { Button, Popover } from "@mantine/core";
import { useStore } from "zustand";
import { Facts } from "../parts/Facts.tsx";
import { COMMANDS } from "../stores/commands.ts";
import type { Studio } from "../stores/studio.ts";
import { formatBytes, formatBytesOf } from "../theme/format.ts";

/** Storage chip: how full the browser's storage is, and whether it is persistent. */
export function StorageChip({ studio }: { readonly studio: Studio }) {
  const storage = useStore(studio.library, (state) => state.storage);
  if (!storage) return null;
  const { usedBytes, quotaBytes, persisted } = storage;
  return (
    <Popover position="bottom-end" width={300}>
      <Popover.Target>
        <button type="button" className="chip header-wide num" title="Storage">
          {quotaBytes === null
            ? `${formatBytes(usedBytes)} stored`
            : formatBytesOf(usedBytes, quotaBytes)}
        </button>
      </Popover.Target>
      <Popover.Dropdown>
        <div className="popover">
          <Facts
            rows={[
              ["Stored", formatBytes(usedBytes)],
              ["Allowed, as the browser says", quotaBytes === null ? "–" : formatBytes(quotaBytes)],
              ["Kept when the disk is full", persisted ? "yes" : "not promised"],
            ]}
          />
          {!persisted && (
            <Button onClick={() => COMMANDS.keepData.run(studio)}>{COMMANDS.keepData.label}</Button>
          )}
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}
