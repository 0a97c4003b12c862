package config

// Images are the settings of the registry of container images.
type Images struct {
	RegistryLimit Size   `name:"registry-limit" env:"FLOWW_REGISTRY_LIMIT" default:"10GiB" min:"1MiB" max:"100TiB" placeholder:"SIZE" group:"Images" help:"What the container images of one organization may take."`
	RegistryHost  string `name:"registry-host" env:"REGISTRY_URL_RUNTIME" placeholder:"HOST[:PORT]" group:"Images" help:"Host at which the container engine reaches this server to pull images; that of the public URL when unset. The engine insists on HTTPS for all hosts but its own machine."`
}
