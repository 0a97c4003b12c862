(function () {
  return { performance };
})
