/**
 * The walls of the house: imports point one way, and no two files import each other in a circle (type imports count).
 * `npm run lint` holds them.
 */
const folders =
  "engine kernels checkpoint convert audio encodec bark speech server web cli bench spec tools examples".split(" ");
/** What each folder may import beside itself; folders that are not here may import all. */
const allowed = {
  engine: [],
  kernels: ["engine"],
  checkpoint: ["engine"],
  convert: ["checkpoint", "engine"],
  audio: ["checkpoint", "engine"],
  encodec: ["kernels", "engine"],
  bark: ["encodec", "kernels", "checkpoint", "audio", "engine"],
  speech: ["bark", "encodec", "kernels", "checkpoint", "audio", "engine"],
  server: ["speech", "bark", "checkpoint", "audio", "engine"],
  web: ["speech", "bark", "checkpoint", "audio", "engine"],
  cli: ["server", "speech", "bark", "encodec", "kernels", "convert", "checkpoint", "audio", "engine"],
};

/** Whoever installs the command asks it how fast their GPU is; the site has a page for that, which `lab-alone` holds apart. */
const exceptions = { cli: "^bench/cli\\.ts$", web: "^(bench|kernels)/" };

const directions = Object.entries(allowed).map(([folder, targets]) => ({
  name: `${folder}-points-down`,
  severity: "error",
  comment: `${folder}/ may import only ${[folder, ...targets].join(", ")}`,
  from: { path: `^${folder}/` },
  to: {
    path: `^(${folders.filter((other) => other !== folder && !targets.includes(other)).join("|")})/`,
    ...(exceptions[folder] && { pathNot: exceptions[folder] }),
  },
}));

export default {
  forbidden: [
    { name: "no-circle", severity: "error", from: {}, to: { circular: true } },
    {
      name: "peers-are-apart",
      severity: "error",
      comment: "bench/peers is a package of its own",
      from: { pathNot: "^bench/peers/" },
      to: { path: "^bench/peers/" },
    },
    {
      name: "the-lab-is-apart",
      severity: "error",
      comment: "a rung of the ladder that nobody runs fastest is for bench and spec",
      from: { path: "^(kernels|encodec|bark|speech|cli)/", pathNot: "/lab(/|\\.ts$)" },
      to: { path: "^kernels/(lab\\.ts$|[^/]+/lab/)" },
    },
    {
      name: "lab-alone",
      severity: "error",
      comment: "of web/ only the lab of the site runs benches and names kernels",
      from: { path: "^web/", pathNot: "^web/site/lab/" },
      to: { path: "^(bench|kernels)/" },
    },
    ...directions,
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    exclude: { path: "node_modules|^(scratch|dist)/" },
  },
};
