// Kubernetes' own storage test suites against csi.penstock.io, as far as they read volumes only.
//
//	STORAGE_ATTRIBUTES  volume attributes as JSON; the location needs no credentials
package storagesuites

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/kubernetes/test/e2e/framework"
	"k8s.io/kubernetes/test/e2e/framework/config"
	_ "k8s.io/kubernetes/test/e2e/framework/debug/init"
	_ "k8s.io/kubernetes/test/e2e/framework/node/init"
	storage "k8s.io/kubernetes/test/e2e/storage/framework"
	"k8s.io/kubernetes/test/e2e/storage/testsuites"
)

const name = "csi.penstock.io"

// driver has volumes that exist already: all show the same model, read-only, to any number of pods.
type driver struct {
	info       storage.DriverInfo
	attributes map[string]string
}

var (
	_ storage.EphemeralTestDriver       = &driver{}
	_ storage.PreprovisionedPVTestDriver = &driver{}
)

type volume struct{}

func (volume) DeleteVolume(context.Context) {}

func (d *driver) GetDriverInfo() *storage.DriverInfo            { return &d.info }
func (d *driver) SkipUnsupportedTest(storage.TestPattern)       {}
func (d *driver) GetCSIDriverName(*storage.PerTestConfig) string { return name }

func (d *driver) PrepareTest(_ context.Context, f *framework.Framework) *storage.PerTestConfig {
	return &storage.PerTestConfig{Driver: d, Prefix: "penstock", Framework: f}
}

func (d *driver) GetVolume(*storage.PerTestConfig, int) (map[string]string, bool, bool) {
	return d.attributes, true, true
}

func (d *driver) CreateVolume(context.Context, *storage.PerTestConfig, storage.TestVolType) storage.TestVolume {
	return volume{}
}

func (d *driver) GetPersistentVolumeSource(_ bool, _ string, _ storage.TestVolume) (*v1.PersistentVolumeSource, *v1.VolumeNodeAffinity) {
	return &v1.PersistentVolumeSource{CSI: &v1.CSIPersistentVolumeSource{
		Driver:           name,
		VolumeHandle:     "storage-suites",
		ReadOnly:         true,
		VolumeAttributes: d.attributes,
	}}, nil
}

func define() {
	d := &driver{info: storage.DriverInfo{
		Name:                name,
		SupportedFsType:     sets.NewString(""),
		RequiredAccessModes: []v1.PersistentVolumeAccessMode{v1.ReadOnlyMany},
		Capabilities: map[storage.Capability]bool{
			storage.CapPersistence:       true,
			storage.CapMultiPODs:         true,
			storage.CapMultiplePVsSameID: true,
			storage.CapReadOnlyMany:      true,
		},
	}}
	if err := json.Unmarshal([]byte(os.Getenv("STORAGE_ATTRIBUTES")), &d.attributes); err != nil {
		panic("STORAGE_ATTRIBUTES: " + err.Error())
	}
	framework.Describe(name, func() { storage.DefineTestSuites(d, testsuites.CSISuites) })
}

func TestMain(m *testing.M) {
	config.CopyFlags(config.Flags, flag.CommandLine)
	framework.RegisterCommonFlags(flag.CommandLine)
	framework.RegisterClusterFlags(flag.CommandLine)
	flag.Parse()
	framework.AfterReadingAllFlags(&framework.TestContext)
	define()
	os.Exit(m.Run())
}

func TestStorageSuites(t *testing.T) {
	gomega.RegisterFailHandler(framework.Fail)
	ginkgo.RunSpecs(t, "storage suites: "+name)
}
