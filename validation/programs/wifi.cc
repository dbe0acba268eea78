// Uploads over one Wi-Fi channel in ns-3: n stations send `bytes` each to one receiver, all from one
// instant on, and the program says when the last byte of each was there, as one line of JSON. With `down`
// the receiver, an access point then, sends as much to each of them from that instant on, its queues in turn.
//
// What is left out on purpose, so that only channel access is measured: every station hears every other
// one at the same power (-40 dBm: no hidden stations, no capture, no noise errors), no beacons or
// association (ad hoc), no ARP, IP or UDP machinery (their 28 header bytes are in the frames), queues
// that hold a whole upload, no lifetime and no retry limit. Block-ack agreements are set up beforehand
// by three small packets of each sender to each receiver.

#include "ns3/core-module.h"
#include "ns3/mobility-module.h"
#include "ns3/network-module.h"
#include "ns3/propagation-module.h"
#include "ns3/wifi-module.h"

#include <ctime>
#include <iostream>
#include <sstream>

using namespace ns3;

namespace
{

constexpr uint16_t ETHERTYPE_IPV4 = 0x0800;
constexpr double WARM_UP_S = 0.02; // between the first packets of two stations

using Pair = std::pair<Mac48Address, Mac48Address>; // sender and receiver

struct Upload
{
    uint64_t received = 0;  // payload bytes, since the start
    double end_s = -1;      // when the last of them was there
    uint64_t at_first_end = 0; // how many were there when the first station was through
    uint64_t data_ppdus = 0;
    uint64_t other_ppdus = 0; // block-ack requests
};

struct Bench
{
    std::vector<Upload> uploads;
    std::map<Pair, std::size_t> who;
    uint64_t bytes = 0;
    uint32_t headers = 0;
    double start_s = 0;
    std::size_t through = 0;
    uint64_t drops = 0;
};

Bench bench;

bool
OnReceived(Ptr<NetDevice> to, Ptr<const Packet> packet, uint16_t, const Address& from)
{
    const double now_s = Simulator::Now().GetSeconds();
    if (now_s < bench.start_s)
    {
        return true;
    }
    const Pair pair{Mac48Address::ConvertFrom(from), Mac48Address::ConvertFrom(to->GetAddress())};
    Upload& upload = bench.uploads.at(bench.who.at(pair));
    upload.received += packet->GetSize() - bench.headers;
    if (upload.received == bench.bytes)
    {
        upload.end_s = now_s - bench.start_s;
        if (bench.through++ == 0)
        {
            for (auto& each : bench.uploads)
            {
                each.at_first_end = each.received;
            }
        }
        if (bench.through == bench.uploads.size())
        {
            Simulator::Stop();
        }
    }
    return true;
}

void
OnSent(WifiConstPsduMap psdus, WifiTxVector, double)
{
    const WifiMacHeader& header = psdus.begin()->second->GetHeader(0);
    const bool data = header.HasData();
    if (Simulator::Now().GetSeconds() >= bench.start_s && (data || header.IsBlockAckReq()))
    {
        Upload& upload = bench.uploads[bench.who.at({header.GetAddr2(), header.GetAddr1()})];
        ++(data ? upload.data_ppdus : upload.other_ppdus);
    }
}

void
OnDropped(WifiMacDropReason, Ptr<const WifiMpdu>)
{
    ++bench.drops;
}

void
SendAll(Ptr<NetDevice> from, Address to, uint32_t payload)
{
    for (uint64_t left = bench.bytes; left > 0;)
    {
        const uint32_t size = std::min<uint64_t>(left, payload);
        from->Send(Create<Packet>(size + bench.headers), to, ETHERTYPE_IPV4);
        left -= size;
    }
}

// A queue is served whose first packet is the oldest: with a nanosecond between a packet for one receiver
// and that for the next, the receivers have their turns, an A-MPDU each.
void
SendInTurn(Ptr<NetDevice> from, NetDeviceContainer to, std::size_t receivers, uint32_t payload)
{
    uint64_t sent = 0;
    for (uint64_t left = bench.bytes; left > 0;)
    {
        const uint32_t size = std::min<uint64_t>(left, payload);
        for (std::size_t i = 0; i < receivers; ++i)
        {
            const Address address = to.Get(i)->GetAddress();
            Simulator::Schedule(NanoSeconds(sent++), [from, address, size] {
                from->Send(Create<Packet>(size + bench.headers), address, ETHERTYPE_IPV4);
            });
        }
        left -= size;
    }
}

} // namespace

int
main(int argc, char* argv[])
{
    std::string standard = "a";
    std::string rates = "54"; // Mbit/s, one per station
    uint32_t payload = 1400;
    uint32_t seed = 1;
    uint32_t run = 1;
    bool bar = true;
    uint32_t width = 20;
    std::string mcs;
    bool down = false;
    double rss_dbm = -40;
    bench.bytes = 1000000;
    bench.headers = 28;
    CommandLine cmd;
    cmd.AddValue("standard", "a (802.11a), or n, ac, ax (with A-MPDU and an 800 ns guard interval)", standard);
    cmd.AddValue("width", "width of the channel in MHz", width);
    cmd.AddValue("mcs", "scheme of each station with ac and ax, with commas, in place of rates", mcs);
    cmd.AddValue("rates", "PHY rate of each station in Mbit/s, with commas", rates);
    cmd.AddValue("bytes", "payload bytes of each upload", bench.bytes);
    cmd.AddValue("payload", "payload bytes of each packet", payload);
    cmd.AddValue("headers", "bytes of IP and UDP headers in each packet", bench.headers);
    cmd.AddValue("bar", "ask by BlockAckReq after a missed BlockAck (the ns-3 default)", bar);
    cmd.AddValue("down", "the receiver sends as much to each station", down);
    cmd.AddValue("rss", "power at which everybody hears everybody, in dBm", rss_dbm);
    cmd.AddValue("seed", "seed of the random streams", seed);
    cmd.AddValue("run", "number of the replication", run);
    cmd.Parse(argc, argv);
    RngSeedManager::SetSeed(seed);
    RngSeedManager::SetRun(run);

    std::vector<std::string> modes;
    std::stringstream list(mcs.empty() ? rates : mcs);
    for (std::string rate; std::getline(list, rate, ',');)
    {
        const std::map<std::string, std::string> ht{{"6.5", "HtMcs0"}, {"13", "HtMcs1"}, {"19.5", "HtMcs2"},
            {"26", "HtMcs3"}, {"39", "HtMcs4"}, {"52", "HtMcs5"}, {"58.5", "HtMcs6"}, {"65", "HtMcs7"}};
        modes.push_back(standard == "ac"   ? "VhtMcs" + rate
                        : standard == "ax" ? "HeMcs" + rate
                        : standard == "n"  ? ht.at(rate)
                                           : "OfdmRate" + rate + "Mbps");
    }
    const std::size_t n = modes.size();
    const uint64_t packets = (bench.bytes + payload - 1) / payload;
    Config::SetDefault("ns3::WifiMac::FrameRetryLimit", UintegerValue(65535));
    Config::SetDefault("ns3::WifiMacQueue::MaxSize",
                       QueueSizeValue(QueueSize(QueueSizeUnit::PACKETS, packets * (down ? n : 1) + 100)));
    Config::SetDefault("ns3::WifiMacQueue::MaxDelay", TimeValue(Seconds(100000)));
    Config::SetDefault("ns3::HeConfiguration::GuardInterval", TimeValue(NanoSeconds(800)));
    Config::SetDefault("ns3::QosTxop::UseExplicitBarAfterMissedBlockAck", BooleanValue(bar));

    NodeContainer nodes;
    nodes.Create(n + 1); // the last one receives
    auto channel = CreateObject<YansWifiChannel>();
    auto loss = CreateObject<FixedRssLossModel>();
    loss->SetRss(rss_dbm);
    channel->SetPropagationLossModel(loss);
    channel->SetPropagationDelayModel(CreateObject<ConstantSpeedPropagationDelayModel>());
    YansWifiPhyHelper phy;
    phy.SetChannel(channel);
    const std::map<uint32_t, std::string> numbers{{20, "36"}, {40, "38"}, {80, "42"}, {160, "50"}};
    phy.Set("ChannelSettings",
            StringValue("{" + numbers.at(width) + ", " + std::to_string(width) + ", BAND_5GHZ, 0}"));
    const std::map<std::string, std::pair<WifiStandard, uint32_t>> standards{ // and the longest A-MPDU
        {"a", {WIFI_STANDARD_80211a, 0}},
        {"n", {WIFI_STANDARD_80211n, 65535}},
        {"ac", {WIFI_STANDARD_80211ac, 1048575}},
        {"ax", {WIFI_STANDARD_80211ax, 6500631}}};
    WifiHelper wifi;
    wifi.SetStandard(standards.at(standard).first);
    WifiMacHelper mac;
    mac.SetType("ns3::AdhocWifiMac",
                "BE_MaxAmpduSize",
                UintegerValue(standards.at(standard).second));
    NetDeviceContainer devices;
    for (std::size_t i = 0; i <= n; ++i)
    {
        wifi.SetRemoteStationManager("ns3::ConstantRateWifiManager",
                                     "DataMode", StringValue(modes[std::min(i, n - 1)]),
                                     "ControlMode", StringValue("OfdmRate24Mbps"));
        devices.Add(wifi.Install(phy, mac, nodes.Get(i)));
    }
    MobilityHelper mobility; // on a circle of 1 m around the receiver: delays of nanoseconds
    auto positions = CreateObject<ListPositionAllocator>();
    for (std::size_t i = 0; i < n; ++i)
    {
        positions->Add(Vector(std::cos(2 * M_PI * i / n), std::sin(2 * M_PI * i / n), 0));
    }
    positions->Add(Vector(0, 0, 0));
    mobility.SetPositionAllocator(positions);
    mobility.Install(nodes);
    WifiHelper::AssignStreams(devices, 100);

    std::vector<std::pair<std::size_t, std::size_t>> transfers; // from and to
    for (std::size_t i = 0; i < n; ++i)
    {
        transfers.emplace_back(i, n);
    }
    for (std::size_t i = 0; down && i < n; ++i)
    {
        transfers.emplace_back(n, i);
    }
    bench.uploads.resize(transfers.size());
    bench.start_s = 1 + WARM_UP_S * transfers.size();
    for (std::size_t i = 0; i <= n; ++i)
    {
        auto device = DynamicCast<WifiNetDevice>(devices.Get(i));
        device->SetReceiveCallback(MakeCallback(&OnReceived));
        device->GetPhy()->TraceConnectWithoutContext("PhyTxPsduBegin", MakeCallback(&OnSent));
        device->GetMac()->TraceConnectWithoutContext("DroppedMpdu", MakeCallback(&OnDropped));
    }
    for (std::size_t i = 0; i < transfers.size(); ++i)
    {
        const auto device = devices.Get(transfers[i].first);
        const Address to = devices.Get(transfers[i].second)->GetAddress();
        bench.who[{Mac48Address::ConvertFrom(device->GetAddress()), Mac48Address::ConvertFrom(to)}] = i;
        Simulator::Schedule(Seconds(0.5 + WARM_UP_S * i), [device, to] {
            for (int k = 0; k < 3; ++k) // an agreement is asked for when more than one packet waits
            {
                device->Send(Create<Packet>(bench.headers), to, ETHERTYPE_IPV4);
            }
        });
        if (i < n)
        {
            Simulator::Schedule(Seconds(bench.start_s), &SendAll, device, to, payload);
        }
    }
    if (down)
    {
        Simulator::Schedule(Seconds(bench.start_s), &SendInTurn, devices.Get(n), devices, n, payload);
    }
    const std::clock_t began = std::clock();
    Simulator::Run();
    const double host_s = double(std::clock() - began) / CLOCKS_PER_SEC; // processor time

    std::cout.precision(9);
    std::cout << "{\"run\": " << run << ", \"host_cpu_s\": " << host_s << ", \"events\": "
              << Simulator::GetEventCount() << ", \"drops\": " << bench.drops << ", \"stations\": [";
    for (std::size_t i = 0; i < transfers.size(); ++i)
    {
        const Upload& u = bench.uploads[i];
        std::cout << (i ? ", " : "") << "{\"end_s\": " << u.end_s << ", \"received_bytes\": " << u.received
                  << ", \"bytes_at_first_end\": " << u.at_first_end << ", \"data_ppdus\": " << u.data_ppdus
                  << ", \"other_ppdus\": " << u.other_ppdus << "}";
    }
    std::cout << "]}" << std::endl;
    Simulator::Destroy();
    return 0;
}
