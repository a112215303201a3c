import { Button } from "@mantine/core";
import { useStore } from "zustand";
import { COMMANDS } from "../../stores/commands.ts";
import type { Studio } from "../../stores/studio.ts";
import { formatBytes } from "../../theme/format.ts";

/** Storage used, the browser's quota, and whether storage is persistent. */
export function StorageLine({ studio }: { readonly studio: Studio }) {
  const storage = useStore(studio.library, (state) => state.storage);
  if (!storage) return null;
  const { usedBytes, quotaBytes, persisted } = storage;
  return (
    <div className="storage small muted num">
      <span>
        {formatBytes(usedBytes)} used
        {quotaBytes !== null && ` of about ${formatBytes(quotaBytes)} that the browser allows`}
      </span>
      <span>
        {persisted ? "Kept until you delete it." : "May be evicted when the disk is full."}
      </span>
      {!persisted && (
        <Button size="compact-sm" onClick={() => COMMANDS.keepData.run(studio)}>
          {COMMANDS.keepData.label}
        </Button>
      )}
    </div>
  );
}
