(function ({ need }) {
  return need("streams");
})
