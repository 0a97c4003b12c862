package house

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// row is what docs/development.md says of a folder.
type row struct {
	// line is the row's place in the table.
	line    int
	meaning string
	may     []string
}

// importTable reads the table under the heading "Who may import whom".
func importTable(t *testing.T) map[string]row {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(root, "docs/development.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(page), "\n## Who may import whom\n")
	if !found {
		t.Fatal("docs/development.md has no section \"Who may import whom\"")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	table := map[string]row{}
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 5 || !strings.Contains(cells[1], "`") {
			continue
		}
		folder := strings.Trim(cells[1], " `")
		var may []string
		for _, name := range strings.Split(cells[3], ",") {
			if name = strings.Trim(name, " `"); name != "" {
				may = append(may, name)
			}
		}
		table[folder] = row{line: len(table), meaning: strings.TrimSpace(cells[2]), may: may}
	}
	if len(table) < 15 {
		t.Fatalf("the import table of docs/development.md has only %d rows that can be read", len(table))
	}
	return table
}

// rowOf returns the row of a folder: its own, or that of `parent/*`.
func rowOf(table map[string]row, folder string) (row, bool) {
	if r, ok := table[folder]; ok {
		return r, true
	}
	for parent := filepath.ToSlash(filepath.Dir(folder)); parent != "."; parent = filepath.ToSlash(filepath.Dir(parent)) {
		if r, ok := table[parent+"/*"]; ok {
			return r, true
		}
	}
	return row{}, false
}

// allows reports whether a row lets a folder import another one. A name stands
// for the folder below internal or at the root; `x/*` stands for all below x.
func (r row) allows(folder string) bool {
	name := strings.TrimPrefix(folder, "internal/")
	return slices.ContainsFunc(r.may, func(allowed string) bool {
		below, wild := strings.CutSuffix(allowed, "*")
		return allowed == name || wild && strings.HasPrefix(name, below)
	})
}

func TestLowerNeverImportsUpper(t *testing.T) {
	t.Parallel()
	table := importTable(t)
	for _, p := range packages(t) {
		r, ok := rowOf(table, p.folder())
		if !ok {
			t.Errorf("%s has no row in the import table of docs/development.md: say there what it is and what it may import", p.folder())
			continue
		}
		for _, imported := range p.ownImports() {
			if !r.allows(imported) {
				t.Errorf("%s imports %s, which its row in docs/development.md does not allow: what is below must be readable without what is above; declare a small interface here and let app connect it", p.folder(), imported)
			}
		}
	}
}

func TestImportTableNamesWhatExists(t *testing.T) {
	t.Parallel()
	exists := map[string]bool{}
	for _, p := range packages(t) {
		for folder := p.folder(); folder != "."; folder = filepath.ToSlash(filepath.Dir(folder)) {
			exists[folder] = true
		}
	}
	for folder, r := range importTable(t) {
		if !exists[strings.TrimSuffix(folder, "/*")] {
			t.Errorf("the import table of docs/development.md has a row for %s, which is not there", folder)
		}
		if r.meaning == "" {
			t.Errorf("the import table of docs/development.md does not say what %s is", folder)
		}
	}
}

func TestImportTableIsAnOrder(t *testing.T) {
	t.Parallel()
	table := importTable(t)
	for folder, r := range table {
		for _, name := range r.may {
			above, ok := rowOf(table, name)
			if !ok {
				above, ok = rowOf(table, "internal/"+name)
			}
			if !ok {
				t.Errorf("the import table of docs/development.md lets %s import %s, which has no row", folder, name)
			} else if above.line > r.line {
				t.Errorf("the import table of docs/development.md lets %s import %s, which stands below it", folder, name)
			}
		}
	}
}

// maxChain is the longest path of imports inside the module.
const maxChain = 10

func TestImportChainIsShort(t *testing.T) {
	t.Parallel()
	imports := map[string][]string{}
	for _, p := range packages(t) {
		imports[p.folder()] = p.ownImports()
	}
	longest := map[string][]string{}
	var walk func(string) []string
	walk = func(folder string) []string {
		if chain, done := longest[folder]; done {
			return chain
		}
		var best []string
		for _, imported := range imports[folder] {
			if chain := walk(imported); len(chain) > len(best) {
				best = chain
			}
		}
		longest[folder] = append([]string{folder}, best...)
		return longest[folder]
	}
	for folder := range imports {
		if forTests(folder) {
			continue
		}
		if chain := walk(folder); len(chain) > maxChain {
			t.Errorf("a chain of %d imports, at most %d are allowed, because nobody follows a longer one: %s", len(chain), maxChain, strings.Join(chain, " → "))
		}
	}
}

func TestTestSupportStaysOutOfTheBinary(t *testing.T) {
	t.Parallel()
	out, err := goList("-deps", "./cmd/flowwd")
	if err != nil {
		t.Fatal(err)
	}
	for path := range strings.FieldsSeq(string(out)) {
		if folder, own := strings.CutPrefix(path, module+"/"); own && forTests(folder) || path == "testing" {
			t.Errorf("the binary contains %s, which is for tests alone", path)
		}
	}
}
