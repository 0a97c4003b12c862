package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// KeyFiles returns the files of keys that the folder has, by name.
func (d DataDir) KeyFiles() (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, name := range keyFiles {
		path := filepath.Join(d.keys(), name)
		_, err := readKey(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if files[name], err = os.ReadFile(path); err != nil {
			return nil, fmt.Errorf("read a key: %w", err)
		}
	}
	return files, nil
}

// CheckKeyFiles refuses files of keys where the folder has others of the same
// name: what was encrypted with one of them can't be read with the other.
func (d DataDir) CheckKeyFiles(files map[string][]byte) error {
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(d.keys(), name)
		content, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("read a key: %w", err)
		}
		if !bytes.Equal(content, files[name]) {
			return fmt.Errorf("%s is the key of another installation: name a new data folder, or move the folder %s away", path, d.keys())
		}
	}
	return nil
}

// AddKeyFiles writes the files of keys that the folder does not have.
func (d DataDir) AddKeyFiles(files map[string][]byte) error {
	if err := d.CheckKeyFiles(files); err != nil {
		return err
	}
	if err := os.Mkdir(d.keys(), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make the folder of keys: %w", err)
	}
	if err := checkPath(d.keys()); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if filepath.Base(name) != name {
			return fmt.Errorf("%q is no name of a key", name)
		}
		err := writeNew(filepath.Join(d.keys(), name), string(files[name]))
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("write the key %s: %w", name, err)
		}
	}
	return nil
}
