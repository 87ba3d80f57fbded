/** Writes its second argument to the file that its first names, as a process with descriptors and a user of its own. */
import { writeFileAtomically } from "../../../checkpoint/node/atomic_file.ts";

const [file, text] = process.argv.slice(2);
try {
  await writeFileAtomically(file, new TextEncoder().encode(text));
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
