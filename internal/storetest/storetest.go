package storetest

import (
	"path/filepath"
	"testing"

	"github.com/usefloww/flowwd/internal/store"
)

// Backend makes an empty database for one test and returns what opens it. The
// database is gone after the test.
type Backend func(t *testing.T) Opener

// Opener opens a database, any number of times. It fills the part of the
// configuration that says where the data is; the rest is the caller's. The
// caller closes the store.
type Opener func(cfg store.Config) (*store.Store, error)

// SQLite opens a database file, with a folder for large bodies beside it.
func SQLite(t testing.TB, path string) Opener {
	return func(cfg store.Config) (*store.Store, error) {
		cfg.Path = path
		if cfg.Blobs == "" {
			cfg.Blobs = filepath.Join(filepath.Dir(path), "bodies")
		}
		return store.Open(t.Context(), cfg)
	}
}

// Run runs the suite.
func Run(t *testing.T, backend Backend) {
	t.Helper()
	for _, group := range []struct {
		name string
		run  func(*testing.T, Backend)
	}{
		{"tenants", testTenants},
		{"users", testUsers},
		{"administration", testAdministration},
		{"sessions", testSessions},
		{"passwords", testPasswords},
		{"organizations", testOrganizations},
		{"invitations", testInvitations},
		{"deleted organizations", testDeletedOrganizations},
		{"restored organizations", testRestoredOrganizations},
		{"key checks", testKeyChecks},
		{"audit", testAudit},
		{"keys", testKeys},
		{"service accounts", testAccounts},
		{"grants", testGrants},
		{"device codes", testDeviceCodes},
		{"devices", testDevices},
		{"device model", testDeviceModel},
		{"workflows", testWorkflows},
		{"folders", testFolders},
		{"folder model", testFolderModel},
		{"deployments", testDeployments},
		{"triggers", testTriggers},
		{"accept", testAccept},
		{"deliveries", testDeliveries},
		{"claim", testClaim},
		{"finish", testFinish},
		{"interrupt", testInterrupt},
		{"ended", testEnded},
		{"retry", testRetry},
		{"schedules", testSchedules},
		{"batches", testBatches},
		{"runtimes", testRuntimes},
		{"alerts", testAlerts},
		{"certificates", testCertificates},
		{"dev sessions", testDevSessions},
		{"postpone", testPostpone},
		{"cancel", testCancel},
		{"logs", testLogs},
		{"executions", testExecutions},
		{"list model", testListModel},
		{"summary", testSummary},
		{"hours", testHours},
		{"delete", testDelete},
		{"purge", testPurge},
		{"key-value tables", testKV},
		{"secrets", testSecrets},
		{"records", testRecords},
		{"restart", testRestart},
		{"concurrency", testConcurrency},
		{"queue model", testQueueModel},
	} {
		t.Run(group.name, func(t *testing.T) {
			t.Parallel()
			group.run(t, backend)
		})
	}
}
