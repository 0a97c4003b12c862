(function ({ need }) {
  return need("process").process;
})
