// The walls of the house: imports point one way, and no two files import each other in a circle (type imports count).
const folders = ["engine", "kernels", "checkpoint", "convert", "audio", "encodec", "bark", "cli", "bench", "spec", "tools"];
const allowed = {
  engine: [],
  kernels: ["engine"],
  checkpoint: ["engine"],
  convert: ["engine", "checkpoint"],
  audio: ["engine", "checkpoint"],
  encodec: ["engine", "kernels"],
  bark: ["engine", "kernels", "checkpoint", "audio", "encodec"],
  // It alone calls bench, and only when a user asks for it.
  cli: ["engine", "kernels", "checkpoint", "convert", "audio", "encodec", "bark", "bench/cli.ts"],
};

const directions = Object.entries(allowed).map(([folder, targets]) => ({
  name: `${folder}-points-down`,
  severity: "error",
  comment: `${folder}/ may import only ${[folder, ...targets].join(", ")}`,
  from: { path: `^${folder}/` },
  to: {
    path: `^(${folders.filter((other) => other !== folder && !targets.includes(other)).join("|")})/`,
    ...(folder === "cli" ? { pathNot: "^bench/cli\\.ts$" } : {}),
  },
}));

export default {
  forbidden: [
    { name: "no-circle", severity: "error", from: {}, to: { circular: true } },
    ...directions,
  ],
  options: { tsPreCompilationDeps: true, doNotFollow: { path: "node_modules" }, exclude: { path: "node_modules|^scratch/" } },
};
