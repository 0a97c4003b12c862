package config

// Images are the settings of the registry of container images.
type Images struct {
	RegistryLimit Size `name:"registry-limit" env:"FLOWW_REGISTRY_LIMIT" default:"10GiB" min:"1MiB" max:"100TiB" placeholder:"SIZE" group:"Images" help:"What the container images of one organization may take."`
}
