// Package suite runs Kubernetes' own storage test suites against volumes of csi.penstock.io: those for CSI drivers, with volumes
// that an administrator has written down (Pre-provisioned PV) and with volumes inline in pods.
package suite

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/kubernetes/test/e2e"
	"k8s.io/kubernetes/test/e2e/framework"
	"k8s.io/kubernetes/test/e2e/framework/config"
	_ "k8s.io/kubernetes/test/e2e/framework/debug/init"
	_ "k8s.io/kubernetes/test/e2e/framework/metrics/init"
	_ "k8s.io/kubernetes/test/e2e/framework/node/init"
	"k8s.io/kubernetes/test/e2e/framework/skipper"
	"k8s.io/kubernetes/test/e2e/framework/testfiles"
	storage "k8s.io/kubernetes/test/e2e/storage/framework"
	"k8s.io/kubernetes/test/e2e/storage/testsuites"
	manifests "k8s.io/kubernetes/test/e2e/testing-manifests"
)

const name = "csi.penstock.io"

var attributes = flag.String("penstock.attributes", "", "attributes of the volumes, key=value, separated by commas")

// driver says what a volume of ours can be. It is always read-only, and pods share what it shows.
type driver struct {
	info storage.DriverInfo
	// Inline volumes are said to be writable, for tests that write nothing but want no read-only volumes.
	unsaid bool
}

type volume struct{}

func (volume) DeleteVolume(context.Context) {}

func newDriver(title string, unsaid bool) *driver {
	return &driver{
		unsaid: unsaid,
		info: storage.DriverInfo{
			Name:                title,
			SupportedFsType:     sets.NewString(""),
			RequiredAccessModes: []v1.PersistentVolumeAccessMode{v1.ReadOnlyMany},
			Capabilities: map[storage.Capability]bool{
				storage.CapMultiPODs:         true,
				storage.CapReadOnlyMany:      true,
				storage.CapMultiplePVsSameID: true,
			},
		},
	}
}

func (d *driver) GetDriverInfo() *storage.DriverInfo { return &d.info }

func (d *driver) SkipUnsupportedTest(pattern storage.TestPattern) {
	if pattern.VolType != storage.PreprovisionedPV && pattern.VolType != storage.CSIInlineVolume {
		skipper.Skipf("volumes are written down or inline: no %s", pattern.VolType)
	}
}

func (d *driver) PrepareTest(_ context.Context, f *framework.Framework) *storage.PerTestConfig {
	return &storage.PerTestConfig{Driver: d, Prefix: "penstock", Framework: f}
}

func (d *driver) CreateVolume(context.Context, *storage.PerTestConfig, storage.TestVolType) storage.TestVolume {
	return volume{}
}

func (d *driver) GetPersistentVolumeSource(
	bool, string, storage.TestVolume,
) (*v1.PersistentVolumeSource, *v1.VolumeNodeAffinity) {
	return &v1.PersistentVolumeSource{CSI: &v1.CSIPersistentVolumeSource{
		Driver:           name,
		VolumeHandle:     "model",
		ReadOnly:         true,
		VolumeAttributes: parsed(),
	}}, nil
}

func (d *driver) GetVolume(*storage.PerTestConfig, int) (map[string]string, bool, bool) {
	return parsed(), true, !d.unsaid
}

func (d *driver) GetCSIDriverName(*storage.PerTestConfig) string { return name }

func parsed() map[string]string {
	all := map[string]string{}
	for _, pair := range strings.Split(*attributes, ",") {
		key, value, _ := strings.Cut(pair, "=")
		all[key] = value
	}
	return all
}

var (
	_ storage.PreprovisionedPVTestDriver = &driver{}
	_ storage.EphemeralTestDriver        = &driver{}
)

func TestMain(m *testing.M) {
	config.CopyFlags(config.Flags, flag.CommandLine)
	framework.RegisterCommonFlags(flag.CommandLine)
	framework.RegisterClusterFlags(flag.CommandLine)
	flag.Parse()
	if *attributes == "" {
		fmt.Fprintln(os.Stderr, "--penstock.attributes is needed")
		os.Exit(2)
	}
	testfiles.AddFileSource(manifests.GetE2ETestingManifestsFS())
	framework.AfterReadingAllFlags(&framework.TestContext)
	framework.Describe("csi.penstock.io", func() {
		storage.DefineTestSuites(newDriver("penstock", false), testsuites.CSISuites)
	})
	framework.Describe("csi.penstock.io, not said to be read-only", func() {
		storage.DefineTestSuites(newDriver("penstock-shared", true), []func() storage.TestSuite{
			func() storage.TestSuite {
				return testsuites.InitCustomEphemeralTestSuite(testsuites.CSIEphemeralTestPatterns())
			},
		})
	})
	os.Exit(m.Run())
}

func TestE2E(t *testing.T) {
	e2e.RunE2ETests(t)
}
