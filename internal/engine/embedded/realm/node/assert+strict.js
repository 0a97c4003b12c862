(function ({ need }) {
  return need("node:assert").strict;
})
