package config

import (
	"net/url"
	"regexp"
)

// Images are the settings of the registry of container images.
type Images struct {
	RegistryLimit    Size   `name:"registry-limit" env:"FLOWW_REGISTRY_LIMIT" default:"10GiB" min:"1MiB" max:"100TiB" placeholder:"SIZE" group:"Images" help:"What the container images of one organization may take."`
	RegistryHost     string `name:"registry-host" env:"REGISTRY_URL_RUNTIME" placeholder:"HOST[:PORT]" group:"Images" help:"Host at which the container engine reaches this server to pull images; that of the public URL when unset. The engine insists on HTTPS for all hosts but its own machine."`
	RegistryURL      string `name:"registry-url" env:"REGISTRY_URL" placeholder:"URL" group:"Images" help:"Registry that keeps the images instead of the data folder, such as https://registry.example.com; clients go on using this server."`
	RegistryName     string `name:"registry-repository-name" env:"REGISTRY_REPOSITORY_NAME" default:"floww" placeholder:"NAME" group:"Images" help:"With REGISTRY_URL, what the names of repositories begin with there; the id of the organization follows."`
	RegistryUser     string `name:"registry-auth-user" env:"REGISTRY_AUTH_USER" placeholder:"NAME" group:"Images" help:"With REGISTRY_URL, user who may push and pull there."`
	RegistryPassword string `name:"registry-auth-password" env:"REGISTRY_AUTH_PASSWORD" placeholder:"PASSWORD" group:"Images" secret:"" help:"Password or access token of that user. A flag can be read by other users of the machine: prefer the variable or its file."`
}

// repositoryForm is a name of distribution-spec 1.1, of a length that leaves room
// for an id.
var repositoryForm = regexp.MustCompile(`^[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*$`)

const maxRepository = 200

func (i *Images) checkImages(add func(name, format string, args ...any)) {
	if i.RegistryURL != "" {
		text := checkURL(i.RegistryURL)
		if u, err := url.Parse(i.RegistryURL); text == "" && err == nil && u.Path != "" && u.Path != "/" {
			text = "the address has a path; what the names of repositories begin with is REGISTRY_REPOSITORY_NAME"
		}
		if text != "" {
			add("REGISTRY_URL (--registry-url)", "%s", text)
		}
	}
	if len(i.RegistryName) > maxRepository || !repositoryForm.MatchString(i.RegistryName) {
		add("REGISTRY_REPOSITORY_NAME (--registry-repository-name)", "%.100q is no name of a repository; give words of small letters and digits, with slashes between them", i.RegistryName)
	}
	switch {
	case i.RegistryURL == "" && (i.RegistryUser != "" || i.RegistryPassword != ""):
		add("REGISTRY_URL (--registry-url)", "it is missing, although there is a user or a password for it")
	case i.RegistryUser != "" && i.RegistryPassword == "":
		add("REGISTRY_AUTH_PASSWORD (--registry-auth-password)", "it is missing, although there is a user")
	case i.RegistryUser == "" && i.RegistryPassword != "":
		add("REGISTRY_AUTH_USER (--registry-auth-user)", "it is missing, although there is a password")
	}
}
