// Mocha loads specs by `require` where Node can, and tsx then makes a second, CommonJS instance of every module that a
// dynamic import also reaches: two EngineError classes, two platforms. Told that Node cannot, mocha uses `import`.
Object.defineProperty(process.features, "require_module", { value: false });
