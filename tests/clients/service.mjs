// A running `ibid serve` with a library of its own.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export async function start(program, ...more) {
  const folder = mkdtempSync(join(tmpdir(), "ibid-clients-"));
  const process = spawn(program, ["serve", "--listen", "127.0.0.1:0", "--data", join(folder, "data"), ...more], { stdio: ["ignore", "pipe", "ignore"] });
  const url = await new Promise((resolve) => createInterface(process.stdout).once("line", resolve));
  const stop = () => { process.kill("SIGKILL"); rmSync(folder, { recursive: true, force: true, maxRetries: 5 }); };
  return { url, folder, process, stop };
}
