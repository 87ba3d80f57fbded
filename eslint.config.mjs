import tseslint from "typescript-eslint";

// Which folder may import which: .dependency-cruiser.mjs.
const inPages = ["engine", "kernels", "checkpoint", "convert", "audio", "encodec", "bark", "speech", "web"];

// These run in Node alone; everything else of the folders above also runs in a browser page.
const nodeFiles = [
  "engine/node/**",
  "checkpoint/node/**",
  "engine/node.ts",
  "bark/node.ts",
  "convert/convert_checkpoint.ts",
];

const browserMessage = "this file also runs in a browser page";

export default tseslint.config(
  {
    ignores: [
      "node_modules/",
      ".cache/",
      "models/",
      "spec/fixtures/**/*.json",
      "dist/",
      "scratch/",
      "site/",
      "examples/typescript/",
    ],
  },
  {
    files: ["**/*.ts"],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
      // Generic kernel declarations are passed on as `Kernel<any>`: their types are checked where they are dispatched.
      "@typescript-eslint/no-unsafe-argument": "off",
      // An `async` function rejects where one that returns `Promise.resolve(…)` throws.
      "@typescript-eslint/require-await": "off",
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "@typescript-eslint/consistent-type-imports": ["error", { disallowTypeAnnotations: false }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      eqeqeq: "error",
      "max-lines": ["error", 400],
    },
  },
  {
    files: inPages.map((folder) => `${folder}/**/*.ts`),
    ignores: nodeFiles,
    rules: {
      "no-restricted-globals": [
        "error",
        ...["Buffer", "process", "require", "__dirname"].map((name) => ({ name, message: browserMessage })),
      ],
      "no-restricted-syntax": [
        "error",
        ...["ImportDeclaration", "ExportNamedDeclaration", "ExportAllDeclaration", "ImportExpression"].map((node) => ({
          selector: `${node}[source.value=/^node:|\\/node\\//]`,
          message: `No Node modules: ${browserMessage}.`,
        })),
      ],
    },
  },
  {
    files: ["spec/**/*.ts"],
    // chai's assertions are property reads: `expect(x).to.be.true`.
    rules: { "@typescript-eslint/no-unused-expressions": "off" },
  },
);
