import { parts } from "./parts.mjs";

const part = process.env.BARK_MUTATION_PART;
const { mutate, specs } = parts[part];

export default {
  mutate,
  testRunner: "mocha",
  mochaOptions: { spec: specs },
  testRunnerNodeArgs: ["--import", "tsx", "--import", "./spec/support/import_specs.mjs"],
  coverageAnalysis: "perTest",
  // A mutant of a module's constants needs a process of its own: half of the time for an eighth of the mutants.
  ignoreStatic: true,
  concurrency: 2,
  timeoutMS: 3000,
  plugins: ["@stryker-mutator/mocha-runner", import.meta.resolve("./ignore_prose.mjs")],
  ignorers: ["prose"],
  tempDirName: ".cache/mutation/sandbox",
  ignorePatterns: [".git", "bench", "tools/mutation"],
  incremental: true,
  incrementalFile: `.cache/mutation/${part}.json`,
  reporters: ["clear-text"],
  clearTextReporter: { allowColor: false, allowEmojis: false, logTests: false, reportTests: false, skipFull: true },
};
