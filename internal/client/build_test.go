package client

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBuildOfAProject(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		files map[string]string
		want  *Build
		err   []string
	}{
		{"no image", map[string]string{"floww.yaml": "name: a"}, nil, nil},
		{"a Dockerfile", map[string]string{"floww.yaml": "name: a", "Dockerfile": ""}, &Build{Dockerfile: "Dockerfile"}, nil},
		{"a Dockerfile that is left alone", map[string]string{"floww.yaml": "name: a\nbuild: false", "Dockerfile": ""}, nil, nil},
		{"all of it", map[string]string{
			"floww.yaml": "name: a\nbuild:\n  type: docker\n  context: .\n  dockerfile: docker/Own\n  extra_options:\n    - --build-arg=V=1\n    - --pull\n", "docker/Own": "",
		}, &Build{Dockerfile: "docker/Own", Options: []string{"--build-arg=V=1", "--pull"}}, nil},
		{"one line", map[string]string{"floww.yaml": "name: a\nbuild:\n  dockerfile: Own\n", "Own": ""}, &Build{Dockerfile: "Own"}, nil},
		{"a recipe that is not there", map[string]string{"floww.yaml": "name: a\nbuild:\n  type: docker\n  dockerfile: Own\n"}, nil,
			[]string{"floww.yaml:4: build.dockerfile: there is no file", "Own"}},
		{"no recipe", map[string]string{"floww.yaml": "name: a\nbuild:\n  type: docker\n"}, nil, nil},
		{"a folder that is not there", map[string]string{"floww.yaml": "name: a\nbuild:\n  context: up\n", "Dockerfile": ""}, nil, []string{"floww.yaml:3: build.context: there is no folder"}},
		{"another builder", map[string]string{"floww.yaml": "name: a\nbuild:\n  type: nix\n", "Dockerfile": ""}, nil, []string{`floww.yaml:3: build.type is "nix"; only docker is known`}},
		{"a text", map[string]string{"floww.yaml": "name: a\nbuild: yes please\n", "Dockerfile": ""}, nil, []string{"floww.yaml:2: build must have lines"}},
		{"an option that is none", map[string]string{"floww.yaml": "name: a\nbuild:\n  extra_options: --pull\n", "Dockerfile": ""}, nil, []string{"floww.yaml:3: build.extra_options must be a list"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := project(t, tc.files)
			got, err := ReadProject(dir)
			if tc.err != nil {
				wantError(t, err, tc.err...)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if tc.want != nil {
				tc.want.Context, tc.want.Dockerfile = dir, filepath.Join(dir, tc.want.Dockerfile)
			}
			if diff := cmp.Diff(tc.want, got.Build); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
