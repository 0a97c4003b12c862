package app

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/config"
	"github.com/usefloww/flowwd/internal/engine/embedded/sandbox"
	"github.com/usefloww/flowwd/internal/secret"
	"github.com/usefloww/flowwd/internal/store"
)

const (
	// minFree is the free space on the disk below which a server is in danger.
	minFree = 256 << 20
	// doctorTimeout bounds the look through the database.
	doctorTimeout = 5 * time.Minute
)

// Doctor returns what keeps a server with these settings from working well, as
// sentences that say what is wrong and what to do. It changes nothing, and may
// run beside the server.
func Doctor(ctx context.Context, settings config.Settings) []error {
	var problems []error
	if !settings.InsecureRunner {
		if err := sandbox.Supported(); err != nil {
			problems = append(problems, fmt.Errorf("%w; for your own code alone, --insecure-runner goes without it", err))
		}
	}
	dir := config.DataDir(settings.DataDir)
	if err := dir.Check(); err != nil {
		return append(problems, err)
	}
	if err := checkFree(dir); err != nil {
		problems = append(problems, err)
	}
	problems = append(problems, dir.CheckFiles()...)
	problems = append(problems, checkCentrifugo(ctx, settings)...)
	problems = append(problems, checkUpstream(ctx, settings)...)
	return append(problems, checkDatabase(ctx, settings)...)
}

// diskOf returns how many bytes of the disk of a data folder are free, and how many
// there are.
func diskOf(dir config.DataDir) (free, total uint64, err error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(string(dir), &stat); err != nil {
		return 0, 0, fmt.Errorf("the free space on the disk of %s can't be read: %w", dir, err)
	}
	return stat.Bavail * uint64(stat.Bsize), stat.Blocks * uint64(stat.Bsize), nil
}

// checkFree refuses a disk that is nearly full.
func checkFree(dir config.DataDir) error {
	free, _, err := diskOf(dir)
	if err != nil {
		return err
	}
	if free < minFree {
		return fmt.Errorf("only %d MiB are free on the disk of %s: free at least %d MiB, or events will be refused", free>>20, dir, minFree>>20)
	}
	return nil
}

func checkDatabase(ctx context.Context, settings config.Settings) []error {
	data := settings.Data
	dir := config.DataDir(data.DataDir)
	if _, err := os.Stat(dir.Database()); !data.Shared() && errors.Is(err, fs.ErrNotExist) {
		return []error{fmt.Errorf("%s has no database: start 'flowwd serve' with it once, or name another folder with --data-dir", dir)}
	}
	ctx, cancel := context.WithTimeout(ctx, doctorTimeout)
	defer cancel()
	c := storeConfig(data, time.Now, slog.New(slog.DiscardHandler))
	c.ReadOnly = true
	s, err := store.Open(ctx, c)
	if err != nil && data.Shared() {
		return []error{fmt.Errorf("the database can't be opened: check its address and that it answers (%w)", err)}
	}
	if err != nil {
		return []error{fmt.Errorf("the database can't be opened: restore a backup when it is damaged (%w)", err)}
	}
	problems := s.Check(ctx)
	if len(problems) == 0 {
		problems = checkContent(ctx, s, settings)
	}
	if err := s.Close(); err != nil {
		problems = append(problems, fmt.Errorf("the database can't be closed: %w", err))
	}
	return problems
}

// checkContent looks at what is in a database that is whole.
func checkContent(ctx context.Context, s *store.Store, settings config.Settings) []error {
	var problems []error
	if err := checkEncryptionKey(ctx, s, settings); err != nil {
		problems = append(problems, err)
	}
	if err := checkAudit(ctx, s); err != nil {
		problems = append(problems, err)
	}
	return problems
}

func checkEncryptionKey(ctx context.Context, s *store.Store, settings config.Settings) error {
	text := settings.EncryptionKey
	if text == "" {
		var err error
		if text, err = config.DataDir(settings.DataDir).EncryptionKey(); err != nil {
			return nil // CheckFiles says it
		}
	}
	var digests [][sha256.Size]byte
	if text != "" {
		keyring, err := secret.ParseKeyring(text)
		if err != nil {
			return fmt.Errorf("ENCRYPTION_KEY: %w", err)
		}
		digests = keyring.Digests()
	}
	known, err := s.KnowsEncryptionKey(ctx, digests)
	if err == nil && !known {
		err = errWrongKey()
	}
	return err
}

// checkAudit says where the audit log is broken.
func checkAudit(ctx context.Context, s *store.Store) error {
	_, err := s.VerifyAudit(ctx)
	return explainBroken(err)
}

// explainBroken says what to do about an audit log that does not hold.
func explainBroken(err error) error {
	var broken *audit.Broken
	if !errors.As(err, &broken) {
		return err
	}
	return fmt.Errorf("the audit log does not hold: %w; the database was changed beside flowwd. Keep a copy of it as evidence, and compare it with an export or a backup from before", broken)
}
