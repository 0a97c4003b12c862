package config

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Keys are the secrets of an installation, made at its first start and kept in
// the folder `keys` of the data folder, one file each.
type Keys struct {
	// MetricsToken opens /metrics.
	MetricsToken string
	// Encryption is the key that secrets in the database are encrypted with and
	// tokens are signed with, as secret.ParseKeyring reads it.
	Encryption string
}

// keyFiles names the files below `keys`.
var keyFiles = []string{metricsTokenFile, encryptionKeyFile}

const (
	metricsTokenFile  = "metrics-token"
	encryptionKeyFile = "encryption-key"
	// encryptionKeySize is the size of an encryption key in bytes.
	encryptionKeySize = 32
)

// LoadKeys reads the keys of a data folder and makes those that are missing.
// It refuses files that others can read.
func (d DataDir) LoadKeys() (Keys, error) {
	if err := os.Mkdir(d.keys(), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return Keys{}, fmt.Errorf("make the folder of keys: %w", err)
	}
	if err := checkPath(d.keys()); err != nil {
		return Keys{}, err
	}
	token, err := loadOrMake(filepath.Join(d.keys(), metricsTokenFile), rand.Text)
	if err != nil {
		return Keys{}, err
	}
	key, err := loadOrMake(filepath.Join(d.keys(), encryptionKeyFile), newEncryptionKey)
	if err != nil {
		return Keys{}, err
	}
	return Keys{MetricsToken: token, Encryption: key}, nil
}

// EncryptionKey reads the encryption key of a data folder; empty when it has
// none yet.
func (d DataDir) EncryptionKey() (string, error) {
	key, err := readKey(filepath.Join(d.keys(), encryptionKeyFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return key, err
}

func newEncryptionKey() string {
	key := make([]byte, encryptionKeySize)
	rand.Read(key) //nolint:errcheck // it never fails
	return base64.URLEncoding.EncodeToString(key)
}

// loadOrMake reads a key, or makes a random one. Of two processes that do this
// at the same time both get the same key: the file appears whole or not at
// all, and the first one stays.
func loadOrMake(path string, make func() string) (string, error) {
	key, err := readKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if err := writeNew(path, make()+"\n"); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("make the key %s: %w", path, err)
	}
	return readKey(path)
}

func readKey(path string) (string, error) {
	if err := checkPath(path); err != nil {
		return "", err
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read a key: %w", err)
	}
	key := strings.TrimSpace(string(content))
	if len(key) < minToken || strings.ContainsFunc(key, notInToken) {
		return "", fmt.Errorf("%s holds no key: restore it from a backup, or remove it to have a new one made", path)
	}
	return key, nil
}

// writeNew makes a file that holds text, for its owner alone, durably and in
// one step; fs.ErrExist when there is one.
func writeNew(path, text string) (err error) {
	folder := filepath.Dir(path)
	temp, err := os.CreateTemp(folder, ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(temp.Name())) }()
	_, err = temp.WriteString(text)
	if err = errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return err
	}
	if err := os.Link(temp.Name(), path); err != nil {
		return err
	}
	dir, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
