//! Benchmarks, each with its peers measured in the same run: `cargo run --release -p warren-bench -- <what>`.

mod throughput;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(about, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// TCP through a gateway, beside stock gotatun and wireguard-go (root; iproute2, iperf3, wireguard-go, wireguard-tools).
    Throughput(throughput::Arguments),
    /// Serves as the gateway of one measurement, in the namespace that it is started in.
    #[command(hide = true)]
    ThroughputGateway(throughput::gateway::Arguments),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().what {
        What::Throughput(arguments) => throughput::run(&arguments),
        What::ThroughputGateway(arguments) => throughput::gateway::serve(&arguments),
    }
}
