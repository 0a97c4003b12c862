package workflow

import "testing"

func TestHashOfAnImage(t *testing.T) {
	t.Parallel()
	plain := Source{Files: map[string]string{"main.ts": "1"}, Entrypoint: "main.ts"}
	hashes := map[Hash]string{}
	for name, image := range map[string]string{"none": "", "one": "registry/a@sha256:1", "another": "registry/a@sha256:2"} {
		source := plain
		source.Image = image
		if other, taken := hashes[source.Hash()]; taken {
			t.Errorf("the images %s and %s give one hash", name, other)
		}
		hashes[source.Hash()] = name
	}
	if got := plain.Hash(); hashes[got] != "none" {
		t.Errorf("a source without an image has the hash of %q", hashes[got])
	}
}
