import { createDir, fileExists, writeFile } from "../../guest-sdk/assembly/az";
import { Reply, fail, succeed } from "../../guest-sdk/assembly/reply";
import { Request } from "../../guest-sdk/assembly/request";
import { DAILY, INDEX, NOTES, absolute, hostFailed } from "./vault";

const INDEX_TEXT = `# Vault

- \`daily/\`: one note a day, filled by captures
- \`notes/\`: one note a topic; link them as [[name]]
`;

/** Makes what is missing and touches nothing that is there. */
export function init(request: Request): Reply {
  const made: string[] = [];
  const folders = [DAILY, NOTES];
  for (let i = 0; i < folders.length; i++) {
    const path = absolute(request, folders[i]);
    if (fileExists(path)) continue;
    if (!createDir(path)) return fail(hostFailed(`create the folder "${folders[i]}"`, "file_write"));
    made.push(folders[i] + "/");
  }
  if (!fileExists(absolute(request, INDEX))) {
    if (!writeFile(absolute(request, INDEX), INDEX_TEXT)) return fail(hostFailed(`write "${INDEX}"`, "file_write"));
    made.push(INDEX);
  }
  if (made.length == 0) return succeed(`The vault in ${request.root} is there already; nothing was changed`);
  return succeed(`Made a vault in ${request.root}: ${made.join(", ")}`);
}
