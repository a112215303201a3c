import { Button, Modal } from "@mantine/core";
import { useStore } from "zustand";
import { saveBlob } from "../parts/saveBlob.ts";
import { attempt, control } from "../stores/actions.ts";
import type { Studio } from "../stores/studio.ts";

/** Opens a file that an export wrote into the origin's private folder; its bytes stay on disk. */
async function openDownload(job: string, name: string): Promise<Blob> {
  const root = await navigator.storage.getDirectory();
  let folder = await root.getDirectoryHandle("exports");
  const parts = [job, ...name.split("/")];
  for (const part of parts.slice(0, -1)) folder = await folder.getDirectoryHandle(part);
  const handle = await folder.getFileHandle(parts.at(-1) ?? name);
  const file = await handle.getFile();
  // Without a type Chrome inspects the content, and would save SHA256SUMS as SHA256SUMS.txt.
  return file.slice(0, file.size, "application/octet-stream");
}

/** Downloads of an export's files, for browsers that cannot pick a folder. */
export function Downloads({ studio }: { readonly studio: Studio }) {
  const id = useStore(studio.desk, (state) => state.downloads);
  const job = useStore(studio.jobs, (state) => state.jobs?.find((entry) => entry.id === id));
  const names = job?.result?.downloads ?? [];
  const close = () => studio.desk.setState({ downloads: null });
  const discard = () => {
    close();
    if (job) void control(studio, job.id, "delete");
  };
  const save = (name: string) =>
    attempt(studio, `Download ${name}`, async () => {
      if (job) saveBlob(name.split("/").at(-1) ?? name, await openDownload(job.id, name));
    });
  const saveAll = async () => {
    for (const name of names) {
      await save(name);
      await new Promise((resolve) => setTimeout(resolve, 400)); // browsers drop downloads that come at once
    }
  };
  return (
    <Modal opened={job !== undefined} onClose={close} title={job?.title ?? "Export"} size="md">
      <p className="small muted">
        This browser cannot write into a folder, so what was exported comes file by file. Put them
        into one folder of their own. “Done” deletes the studio’s own copies of them.
      </p>
      <ul className="downloads">
        {names.map((name) => (
          <li key={name} className="row spread">
            <span className="mono ellipsis" title={name}>
              {name}
            </span>
            <Button size="compact-sm" onClick={() => save(name)}>
              Save
            </Button>
          </li>
        ))}
      </ul>
      <div className="row" style={{ justifyContent: "flex-end" }}>
        <Button variant="filled" onClick={() => void saveAll()}>
          Save all {names.length}
        </Button>
        <Button onClick={discard}>Done</Button>
      </div>
    </Modal>
  );
}
