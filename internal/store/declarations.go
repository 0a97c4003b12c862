package store

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"github.com/usefloww/flowwd/internal/workflow"
)

// declarationRow is a declared trigger as it stands in a deployment's row. The
// input is a string, because JSON inside JSON would lose its spaces and the
// contract wants it verbatim.
type declarationRow struct {
	ProviderType    string  `json:"providerType"`
	ProviderAlias   string  `json:"providerAlias"`
	Type            string  `json:"type"`
	Input           *string `json:"input"`
	Ordinal         int     `json:"ordinal"`
	TimeoutMS       int64   `json:"timeoutMs"`
	MemoryBytes     int64   `json:"memoryBytes,omitempty"`
	Concurrency     int     `json:"concurrency"`
	FailOnInterrupt bool    `json:"failOnInterrupt"`
	Retry           *string `json:"retry,omitempty"`
	Timezone        string  `json:"timezone,omitempty"`
	Respond         string  `json:"respond,omitempty"`
}

func encodeDeclarations(declared []workflow.Declaration) (string, error) {
	rows := make([]declarationRow, len(declared))
	for i, d := range declared {
		rows[i] = declarationRow{
			ProviderType: d.Provider.Type, ProviderAlias: d.Provider.Alias, Type: d.Type, Ordinal: d.Ordinal,
			TimeoutMS: d.Options.Timeout.Milliseconds(), MemoryBytes: d.Options.Memory, Concurrency: d.Options.Concurrency,
			FailOnInterrupt: d.Options.FailOnInterrupt,
			Retry:           retryText(d.Options.Retry), Timezone: d.Options.Timezone, Respond: respondText(d.Options.HandlerResponds),
		}
		if d.Input != nil {
			input := string(d.Input)
			rows[i].Input = &input
		}
	}
	text, err := json.Marshal(rows)
	return string(text), err
}

func decodeDeclarations(text string) ([]workflow.Declaration, error) {
	var rows []declarationRow
	if err := json.Unmarshal([]byte(text), &rows); err != nil {
		return nil, fmt.Errorf("read stored declarations: %w", err)
	}
	declared := make([]workflow.Declaration, len(rows))
	for i, r := range rows {
		declared[i] = workflow.Declaration{
			Provider: workflow.ProviderRef{Type: r.ProviderType, Alias: r.ProviderAlias}, Type: r.Type, Ordinal: r.Ordinal,
			Options: workflow.Options{
				Timeout: time.Duration(r.TimeoutMS) * time.Millisecond, Memory: r.MemoryBytes, Concurrency: r.Concurrency,
				FailOnInterrupt: r.FailOnInterrupt, Timezone: r.Timezone, HandlerResponds: r.Respond == respondHandler,
			},
		}
		if r.Retry != nil {
			if err := (*retryColumn)(&declared[i].Options.Retry).Scan(*r.Retry); err != nil {
				return nil, err
			}
		}
		if r.Input != nil {
			declared[i].Input = json.RawMessage(*r.Input)
		}
	}
	return declared, nil
}

type providerRow struct {
	Type  string `json:"type"`
	Alias string `json:"alias"`
}

func encodeProviders(refs []workflow.ProviderRef) (string, error) {
	rows := make([]providerRow, len(refs))
	for i, r := range refs {
		rows[i] = providerRow(r)
	}
	text, err := json.Marshal(rows)
	return string(text), err
}

func decodeProviders(text string) ([]workflow.ProviderRef, error) {
	var rows []providerRow
	if err := json.Unmarshal([]byte(text), &rows); err != nil {
		return nil, fmt.Errorf("read stored providers: %w", err)
	}
	refs := make([]workflow.ProviderRef, len(rows))
	for i, r := range rows {
		refs[i] = workflow.ProviderRef(r)
	}
	return refs, nil
}

// identityHash is what triggers are unique by within their workflow: the text
// of an identity has no bound, and an index has.
func identityHash(d workflow.Declaration) (workflow.Hash, error) {
	text, err := d.Identity()
	if err != nil {
		return workflow.Hash{}, fmt.Errorf("identity of trigger %s.%s: %w", d.Provider.Type, d.Type, err)
	}
	return sha256.Sum256([]byte(text)), nil
}
