// TCP uploads over links that they share, in ns-3: each sender has an access link of its own to the first
// router of its path; the routers stand in a row. The program says when the last byte of each upload was
// there, as one line of JSON.
//
// Every link serves its flows by deficit round robin (FqCoDel with its CoDel part silenced: a target of an
// hour), and the receive window, `window` bytes, is larger than any bandwidth-delay product here and smaller
// than any queue: nothing is ever lost, and what shares the links is the fair queueing. With `fifo` > 0 the
// links have one queue of so many packets for all instead, which drops what does not fit.

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

struct Upload
{
    uint64_t bytes = 0;
    double start_s = 0;
    double access_bps = 0;
    uint32_t from = 0; // first router of the path
    uint32_t to = 0;   // last router of the path
    uint64_t received = 0;
    double end_s = -1;
};

std::vector<Upload> uploads;
std::size_t through = 0;
uint64_t drops = 0;

void
OnReceived(std::size_t i, Ptr<const Packet> packet, const Address&)
{
    uploads[i].received += packet->GetSize();
    if (uploads[i].received == uploads[i].bytes)
    {
        uploads[i].end_s = Simulator::Now().GetSeconds();
        if (++through == uploads.size())
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

std::vector<double>
Numbers(const std::string& text, char separator)
{
    std::vector<double> numbers;
    std::stringstream list(text);
    for (std::string number; std::getline(list, number, separator);)
    {
        numbers.push_back(std::stod(number));
    }
    return numbers;
}

} // namespace

int
main(int argc, char* argv[])
{
    std::string links = "2e7";
    std::string flows = "5e6:0:1e6:0:1";
    double delay_s = 50e-6;
    uint32_t window = 32768;
    uint32_t segment = 1448;
    uint32_t fifo = 0;
    CommandLine cmd;
    cmd.AddValue("links", "bit/s of the links between routers 0-1, 1-2, ..., with commas", links);
    cmd.AddValue("flows", "bytes:start_s:access_bps:first_router:last_router of each, with commas", flows);
    cmd.AddValue("delay", "propagation delay of every link in seconds", delay_s);
    cmd.AddValue("window", "receive buffer in bytes", window);
    cmd.AddValue("segment", "TCP segment in bytes", segment);
    cmd.AddValue("fifo", "packets of the one queue of a link; 0 for fair queueing", fifo);
    cmd.Parse(argc, argv);
    Config::SetDefault("ns3::TcpSocket::SegmentSize", UintegerValue(segment));
    Config::SetDefault("ns3::TcpSocket::SndBufSize", UintegerValue(4 * window));
    Config::SetDefault("ns3::TcpSocket::RcvBufSize", UintegerValue(window));

    const std::vector<double> link_bps = Numbers(links, ',');
    std::stringstream list(flows);
    for (std::string flow; std::getline(list, flow, ',');)
    {
        const auto f = Numbers(flow, ':');
        uploads.push_back({uint64_t(f.at(0)), f.at(1), f.at(2), uint32_t(f.at(3)), uint32_t(f.at(4))});
    }
    NodeContainer routers;
    routers.Create(link_bps.size() + 1);
    InternetStackHelper internet;
    internet.Install(routers);
    Ipv4AddressHelper addresses("10.0.0.0", "255.255.255.0");
    PointToPointHelper wire;
    wire.SetChannelAttribute("Delay", TimeValue(Seconds(delay_s)));
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
    const auto join = [&](Ptr<Node> a, Ptr<Node> b, double bps) {
        wire.SetDeviceAttribute("DataRate", DataRateValue(DataRate(uint64_t(bps))));
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
    for (std::size_t i = 0; i < link_bps.size(); ++i)
    {
        join(routers.Get(i), routers.Get(i + 1), link_bps[i]);
    }
    for (std::size_t i = 0; i < uploads.size(); ++i)
    {
        const Upload& upload = uploads[i];
        NodeContainer ends;
        ends.Create(2);
        internet.Install(ends);
        join(ends.Get(0), routers.Get(upload.from), upload.access_bps);
        const auto sink_side = join(routers.Get(upload.to), ends.Get(1), 1e9);
        const InetSocketAddress sink(sink_side.GetAddress(1), 9);
        PacketSinkHelper receiver("ns3::TcpSocketFactory", InetSocketAddress(Ipv4Address::GetAny(), 9));
        receiver.Install(ends.Get(1)).Get(0)->TraceConnectWithoutContext(
            "Rx", MakeCallback(&OnReceived).Bind(i));
        BulkSendHelper sender("ns3::TcpSocketFactory", sink);
        sender.SetAttribute("MaxBytes", UintegerValue(upload.bytes));
        sender.SetAttribute("SendSize", UintegerValue(segment));
        sender.Install(ends.Get(0)).Start(Seconds(upload.start_s));
    }
    Ipv4GlobalRoutingHelper::PopulateRoutingTables();
    const std::clock_t began = std::clock();
    Simulator::Run();
    const double host_s = double(std::clock() - began) / CLOCKS_PER_SEC; // processor time

    std::cout.precision(9);
    std::cout << "{\"host_cpu_s\": " << host_s << ", \"events\": " << Simulator::GetEventCount()
              << ", \"drops\": " << drops << ", \"flows\": [";
    for (std::size_t i = 0; i < uploads.size(); ++i)
    {
        std::cout << (i ? ", " : "") << "{\"end_s\": " << uploads[i].end_s
                  << ", \"received_bytes\": " << uploads[i].received << "}";
    }
    std::cout << "]}" << std::endl;
    Simulator::Destroy();
    return 0;
}
