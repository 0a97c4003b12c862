package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/usefloww/flowwd/internal/filelock"
)

// Logins is the file that holds the logins of the person at the keyboard, by the
// address of the server. Only that person can read it.
type Logins struct {
	// Path is the file; its folder is made when missing.
	Path string
	Now  func() time.Time
}

// Login is what a server or its provider gave.
type Login struct {
	AccessToken  string    `json:"accessToken"`
	RefreshToken string    `json:"refreshToken,omitempty"`
	ExpiresAt    time.Time `json:"expiresAt"`
	// ClientID and TokenURL are what the login is renewed with.
	ClientID string `json:"clientId"`
	TokenURL string `json:"tokenUrl"`
	// User names who is logged in.
	User string `json:"user"`
}

// Get returns the login at a server, and whether there is one.
func (l Logins) Get(server string) (Login, bool, error) {
	all, err := l.read()
	login, ok := all[server]
	return login, ok, err
}

// Put keeps the login at a server.
func (l Logins) Put(ctx context.Context, server string, login Login) error {
	return l.change(ctx, func(all map[string]Login) (bool, error) {
		all[server] = login
		return true, nil
	})
}

// Remove forgets the login at a server and returns it, and whether there was
// one.
func (l Logins) Remove(ctx context.Context, server string) (removed Login, ok bool, err error) {
	err = l.change(ctx, func(all map[string]Login) (bool, error) {
		removed, ok = all[server]
		delete(all, server)
		return ok, nil
	})
	return removed, ok, err
}

func (l Logins) read() (map[string]Login, error) {
	all := map[string]Login{}
	text, err := os.ReadFile(l.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return all, nil
	case err != nil:
		return nil, fmt.Errorf("read the logins: %w", err)
	}
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("%s can't be read (%w); remove it and log in again", l.Path, err)
	}
	return all, nil
}

// change changes the file while no other process does, when the function says
// that there is something to write.
func (l Logins) change(ctx context.Context, change func(map[string]Login) (write bool, err error)) error {
	if err := os.MkdirAll(filepath.Dir(l.Path), 0o700); err != nil {
		return fmt.Errorf("make the folder of the logins: %w", err)
	}
	// Beside the file, which is replaced.
	lock, err := filelock.Lock(ctx, l.Path+".lock", filelock.Exclusive)
	if err != nil {
		return fmt.Errorf("wait for another command that changes the logins: %w", err)
	}
	defer filelock.Unlock(lock) //nolint:errcheck // it ends the lock in any case
	all, err := l.read()
	if err != nil {
		return err
	}
	write, err := change(all)
	if err != nil || !write {
		return err
	}
	return l.write(all)
}

// write replaces the file at once, so that nobody reads half of it.
func (l Logins) write(all map[string]Login) (err error) {
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return fmt.Errorf("write the logins: %w", err)
	}
	temp, err := os.CreateTemp(filepath.Dir(l.Path), ".logins-*") // mode 0600
	if err != nil {
		return fmt.Errorf("write the logins: %w", err)
	}
	_, err = temp.Write(append(text, '\n'))
	if err = errors.Join(err, temp.Close()); err == nil {
		err = os.Rename(temp.Name(), l.Path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write the logins: %w", err), os.Remove(temp.Name()))
	}
	return nil
}
