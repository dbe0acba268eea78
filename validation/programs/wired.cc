// Transfers over links that they share, in ns-3: hosts at routers, each with an access link of its own, links
// between routers, and TCP or UDP from host to host. The program says when the last byte of each transfer was
// there, as one line of JSON.
//
// Every link is full duplex and serves its flows by deficit round robin in each direction (FqCoDel with its
// CoDel part silenced: a target of an hour); the receive window, `window` bytes, is smaller than any queue:
// nothing is ever lost, and what shares the links is the fair queueing. With `fifo` > 0 the links have one
// queue of so many packets for all instead, which drops what does not fit. A TCP transfer opens a connection
// of its own; a UDP transfer is handed to its first link at one instant.

#include "ns3/applications-module.h"
#include "ns3/core-module.h"
#include "ns3/internet-module.h"
#include "ns3/network-module.h"
#include "ns3/point-to-point-module.h"
#include "ns3/traffic-control-module.h"

#include <ctime>
#include <iostream>
#include <sstream>

using namespace ns3;

namespace
{

struct Transfer
{
    uint64_t bytes = 0;
    double start_s = 0;
    uint32_t from = 0; // a host
    uint32_t to = 0;   // a host
    uint64_t received = 0;
    double end_s = -1;
};

std::vector<Transfer> transfers;
std::size_t through = 0;
uint64_t drops = 0;

void
OnReceived(std::size_t i, Ptr<const Packet> packet, const Address&)
{
    transfers[i].received += packet->GetSize();
    if (transfers[i].received == transfers[i].bytes)
    {
        transfers[i].end_s = Simulator::Now().GetSeconds();
        if (++through == transfers.size())
        {
            Simulator::Stop();
        }
    }
}

void
OnDropped(Ptr<const QueueDiscItem>)
{
    ++drops;
}

void
SendDatagrams(Ptr<Node> from, InetSocketAddress to, uint64_t bytes, uint32_t payload)
{
    auto socket = Socket::CreateSocket(from, UdpSocketFactory::GetTypeId());
    socket->Connect(to);
    for (uint64_t left = bytes; left > 0;)
    {
        const uint32_t size = std::min<uint64_t>(left, payload);
        socket->Send(Create<Packet>(size));
        left -= size;
    }
}

// "1:2,3:4" is {{1, 2}, {3, 4}}.
std::vector<std::vector<double>>
Rows(const std::string& text)
{
    std::vector<std::vector<double>> rows;
    std::stringstream list(text);
    for (std::string row; std::getline(list, row, ',');)
    {
        rows.emplace_back();
        std::stringstream numbers(row);
        for (std::string number; std::getline(numbers, number, ':');)
        {
            rows.back().push_back(std::stod(number));
        }
    }
    return rows;
}

} // namespace

int
main(int argc, char* argv[])
{
    std::string links = "0:1:2e7:50e-6";
    std::string hosts = "0:1e6:50e-6,1:1e9:50e-6";
    std::string flows = "5e6:0:0:1";
    bool udp = false;
    uint32_t window = 32768;
    uint32_t segment = 1448;
    uint32_t acknowledge = 2;
    uint32_t fifo = 0;
    CommandLine cmd;
    cmd.AddValue("links", "router:router:bit/s:delay_s of each, with commas", links);
    cmd.AddValue("hosts", "router:bit/s:delay_s of the access link of each, with commas", hosts);
    cmd.AddValue("flows", "bytes:start_s:host:host of each, with commas", flows);
    cmd.AddValue("udp", "UDP instead of TCP", udp);
    cmd.AddValue("window", "TCP receive buffer in bytes", window);
    cmd.AddValue("segment", "payload bytes of a packet", segment);
    cmd.AddValue("acknowledge", "how many TCP segments an acknowledgement waits for", acknowledge);
    cmd.AddValue("fifo", "packets of the one queue of a link; 0 for fair queueing", fifo);
    cmd.Parse(argc, argv);
    Config::SetDefault("ns3::TcpSocket::SegmentSize", UintegerValue(segment));
    Config::SetDefault("ns3::TcpSocket::SndBufSize", UintegerValue(4 * window));
    Config::SetDefault("ns3::TcpSocket::RcvBufSize", UintegerValue(window));
    Config::SetDefault("ns3::TcpSocket::DelAckCount", UintegerValue(acknowledge));

    for (const auto& f : Rows(flows))
    {
        transfers.push_back({uint64_t(f.at(0)), f.at(1), uint32_t(f.at(2)), uint32_t(f.at(3))});
    }
    const auto wires = Rows(links);
    const auto ends = Rows(hosts);
    NodeContainer routers;
    for (const auto& link : wires)
    {
        routers.Create(std::max<int>(0, std::max(link.at(0), link.at(1)) + 1 - routers.GetN()));
    }
    InternetStackHelper internet;
    internet.Install(routers);
    Ipv4AddressHelper addresses("10.0.0.0", "255.255.255.0");
    PointToPointHelper wire;
    TrafficControlHelper waiting; // all of it: the devices hold one packet
    wire.SetQueue("ns3::DropTailQueue", "MaxSize", StringValue("1p"));
    if (fifo > 0)
    {
        waiting.SetRootQueueDisc("ns3::FifoQueueDisc", "MaxSize", StringValue(std::to_string(fifo) + "p"));
    }
    else
    {
        waiting.SetRootQueueDisc("ns3::FqCoDelQueueDisc",
                                 "Interval", StringValue("3600s"), "Target", StringValue("3600s"),
                                 "MaxSize", StringValue("100000p"), "UseEcn", BooleanValue(false),
                                 "EnableSetAssociativeHash", BooleanValue(true));
    }
    const auto join = [&](Ptr<Node> a, Ptr<Node> b, double bps, double delay_s) {
        wire.SetDeviceAttribute("DataRate", DataRateValue(DataRate(uint64_t(bps))));
        wire.SetChannelAttribute("Delay", TimeValue(Seconds(delay_s)));
        NetDeviceContainer devices = wire.Install(a, b);
        QueueDiscContainer disciplines = waiting.Install(devices);
        for (uint32_t i = 0; i < disciplines.GetN(); ++i)
        {
            disciplines.Get(i)->TraceConnectWithoutContext("Drop", MakeCallback(&OnDropped));
        }
        Ipv4InterfaceContainer interfaces = addresses.Assign(devices);
        addresses.NewNetwork();
        return interfaces;
    };
    for (const auto& link : wires)
    {
        join(routers.Get(link.at(0)), routers.Get(link.at(1)), link.at(2), link.at(3));
    }
    NodeContainer nodes;
    std::vector<Ipv4Address> at;
    for (const auto& host : ends)
    {
        nodes.Create(1);
        const auto node = nodes.Get(at.size());
        internet.Install(node);
        at.push_back(join(routers.Get(host.at(0)), node, host.at(1), host.at(2)).GetAddress(1));
    }
    const std::string factory = udp ? "ns3::UdpSocketFactory" : "ns3::TcpSocketFactory";
    for (std::size_t i = 0; i < transfers.size(); ++i)
    {
        const Transfer& transfer = transfers[i];
        const auto from = nodes.Get(transfer.from);
        const uint16_t port = 1000 + i;
        const InetSocketAddress sink(at.at(transfer.to), port);
        PacketSinkHelper receiver(factory, InetSocketAddress(Ipv4Address::GetAny(), port));
        receiver.Install(nodes.Get(transfer.to)).Get(0)->TraceConnectWithoutContext(
            "Rx", MakeCallback(&OnReceived).Bind(i));
        if (udp)
        {
            Simulator::Schedule(Seconds(transfer.start_s), &SendDatagrams, from, sink, transfer.bytes, segment);
            continue;
        }
        BulkSendHelper sender(factory, sink);
        sender.SetAttribute("MaxBytes", UintegerValue(transfer.bytes));
        sender.SetAttribute("SendSize", UintegerValue(segment));
        sender.Install(from).Start(Seconds(transfer.start_s));
    }
    Ipv4GlobalRoutingHelper::PopulateRoutingTables();
    const std::clock_t began = std::clock();
    Simulator::Run();
    const double host_s = double(std::clock() - began) / CLOCKS_PER_SEC; // processor time

    std::cout.precision(12);
    std::cout << "{\"host_cpu_s\": " << host_s << ", \"events\": " << Simulator::GetEventCount()
              << ", \"drops\": " << drops << ", \"flows\": [";
    for (std::size_t i = 0; i < transfers.size(); ++i)
    {
        std::cout << (i ? ", " : "") << "{\"end_s\": " << transfers[i].end_s
                  << ", \"received_bytes\": " << transfers[i].received << "}";
    }
    std::cout << "]}" << std::endl;
    Simulator::Destroy();
    return 0;
}
