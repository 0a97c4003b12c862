(function ({ need }) {
  return need("node:util").types;
})
