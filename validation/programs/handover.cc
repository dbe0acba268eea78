// Who is handed over when, in ns-3's LTE with its A3 RSRP algorithm: stations at places, devices on ways that are
// straight between waypoints. The program says every handover that began, as one line of JSON.
//
// Path loss is that of a log-distance law; there are no fades and no shadows. RRC is ideal, no frame is lost and no
// link fails, so that event A3 is all that decides. A device begins at the nearest station.

#include "ns3/core-module.h"
#include "ns3/internet-module.h"
#include "ns3/lte-module.h"
#include "ns3/mobility-module.h"
#include "ns3/network-module.h"
#include "ns3/point-to-point-module.h"

#include <ctime>
#include <iomanip>
#include <iostream>
#include <sstream>

using namespace ns3;

namespace
{

bool first = true;

void
OnHandover(uint64_t imsi, uint16_t source, uint16_t, uint16_t target)
{
    std::cout << (first ? "" : ", ") << "[" << Simulator::Now().GetSeconds() << ", " << imsi - 1 << ", "
              << source - 1 << ", " << target - 1 << "]";
    first = false;
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
    std::string stations = "0:0,100:0";
    std::string ways = "0:0:10:0,0:10:90:0";
    double until = 10;
    double exponent = 3;
    double hysteresis = 3;
    uint32_t trigger = 160;
    uint32_t interval = 40;
    uint32_t filter = 4;
    CommandLine cmd;
    cmd.AddValue("stations", "x:y of each in metres, with commas", stations);
    cmd.AddValue("ways", "device:time_s:x:y of each waypoint, with commas", ways);
    cmd.AddValue("until", "seconds to simulate", until);
    cmd.AddValue("exponent", "of the log-distance law", exponent);
    cmd.AddValue("hysteresis", "dB", hysteresis);
    cmd.AddValue("trigger", "time to trigger in ms", trigger);
    cmd.AddValue("interval", "ms between two measurements", interval);
    cmd.AddValue("filter", "k of the layer 3 filter", filter);
    cmd.Parse(argc, argv);
    Config::SetDefault("ns3::LteHelper::UseIdealRrc", BooleanValue(true));
    Config::SetDefault("ns3::LteSpectrumPhy::CtrlErrorModelEnabled", BooleanValue(false));
    Config::SetDefault("ns3::LteSpectrumPhy::DataErrorModelEnabled", BooleanValue(false));
    Config::SetDefault("ns3::LteUePhy::EnableRlfDetection", BooleanValue(false));
    Config::SetDefault("ns3::LteUePhy::UeMeasurementsFilterPeriod", TimeValue(MilliSeconds(interval)));
    Config::SetDefault("ns3::LteEnbNetDevice::DlBandwidth", UintegerValue(6));
    Config::SetDefault("ns3::LteEnbNetDevice::UlBandwidth", UintegerValue(6));
    Config::SetDefault("ns3::LteEnbRrc::RsrpFilterCoefficient", UintegerValue(filter));

    auto lte = CreateObject<LteHelper>();
    auto epc = CreateObject<PointToPointEpcHelper>();
    lte->SetEpcHelper(epc);
    lte->SetPathlossModelType(TypeId::LookupByName("ns3::LogDistancePropagationLossModel"));
    lte->SetPathlossModelAttribute("Exponent", DoubleValue(exponent));
    lte->SetHandoverAlgorithmType("ns3::A3RsrpHandoverAlgorithm");
    lte->SetHandoverAlgorithmAttribute("Hysteresis", DoubleValue(hysteresis));
    lte->SetHandoverAlgorithmAttribute("TimeToTrigger", TimeValue(MilliSeconds(trigger)));

    NodeContainer masts;
    NodeContainer devices;
    for (const auto& place : Rows(stations))
    {
        auto mast = CreateObject<Node>();
        auto stands = CreateObject<ConstantPositionMobilityModel>();
        stands->SetPosition(Vector(place.at(0), place.at(1), 0));
        mast->AggregateObject(stands);
        masts.Add(mast);
    }
    std::vector<Ptr<WaypointMobilityModel>> walks;
    for (const auto& point : Rows(ways))
    {
        if (point.at(0) == walks.size())
        {
            devices.Create(1);
            walks.push_back(CreateObject<WaypointMobilityModel>());
            devices.Get(walks.size() - 1)->AggregateObject(walks.back());
        }
        walks.back()->AddWaypoint(Waypoint(Seconds(point.at(1)), Vector(point.at(2), point.at(3), 0)));
    }
    const auto cells = lte->InstallEnbDevice(masts);
    const auto ends = lte->InstallUeDevice(devices);
    InternetStackHelper internet;
    internet.Install(devices);
    epc->AssignUeIpv4Address(ends);
    lte->AttachToClosestEnb(ends, cells);
    lte->AddX2Interface(masts);
    for (uint32_t i = 0; i < cells.GetN(); ++i)
    {
        const auto rrc = DynamicCast<LteEnbNetDevice>(cells.Get(i))->GetRrc();
        rrc->TraceConnectWithoutContext("HandoverStart", MakeCallback(&OnHandover));
    }

    std::cout << std::setprecision(9) << "{\"handovers\": [";
    const auto begin = std::clock();
    Simulator::Stop(Seconds(until));
    Simulator::Run();
    const double cpu = double(std::clock() - begin) / CLOCKS_PER_SEC;
    std::cout << "], \"host_cpu_s\": " << cpu << "}" << std::endl;
    Simulator::Destroy();
    return 0;
}
