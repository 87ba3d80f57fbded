// Mocha passes over a promise that rejects with nobody waiting; this fails the test after which it is seen.
const rejections = [];
process.on("unhandledRejection", (reason) => rejections.push(reason));

export const mochaHooks = {
  afterEach() {
    if (rejections.length > 0) throw rejections.shift();
  },
};
