(function ({ need }) {
  const { setImmediate, clearImmediate } = need("process");
  return { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, clearImmediate, promises: need("node:timers/promises") };
})
