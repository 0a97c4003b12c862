(function ({ need }) {
  return need("node:path");
})
