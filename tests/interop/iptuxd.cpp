// SPDX-License-Identifier: MIT
//
// A real iptux without its window: the engine of the Debian package iptux (libiptux-core), driven by
// lines on stdin, telling what it sees as one JSON object a line on stdout.
//
//   iptuxd CONFIG.json DOWNLOADS
//
// Commands                          What it answers, beside the events they cause
//   pals                              {"event":"pal",…} for each, then {"event":"pals_end"}
//   detect IP                         ok
//   msg IP TEXT                       ok; "\n" in TEXT is a line break, "\\" a backslash
//   group IP TEXT                     ok; a message of iptux's group chat
//   name NICK                         ok; renames itself and tells everybody
//   setenc IP CHARSET                 ok; what it shall write to that peer in
//   file IP PATH…                     ok; offers files and folders; tabs between them where one has blanks
//   recv OFFER [NAME]                 ok; fetches an offer into DOWNLOADS
//   quit                              leaves (BR_EXIT) and ends
//
// A command that fails is answered by {"event":"error","text":…}.

#include <iptux-core/CoreThread.h>
#include <iptux-core/Exception.h>

#include <json/json.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <iostream>
#include <map>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <string>

using namespace iptux;

namespace {

std::mutex output_lock;

void print(const Json::Value &event)
{
	Json::StreamWriterBuilder builder;

	builder["indentation"] = "";
	builder["emitUTF8"] = true;
	std::lock_guard<std::mutex> guard(output_lock);
	std::cout << Json::writeString(builder, event) << std::endl;
}

Json::Value event(const char *name)
{
	Json::Value e;

	e["event"] = name;
	return e;
}

std::string text_of(in_addr ipv4)
{
	char text[INET_ADDRSTRLEN];

	return inet_ntop(AF_INET, &ipv4, text, sizeof(text)) ? text : "";
}

Json::Value describe(const char *name, const PalInfo &pal)
{
	Json::Value e = event(name);

	e["ip"] = text_of(pal.ipv4);
	e["nick"] = pal.getName();
	e["user"] = pal.getUser();
	e["host"] = pal.getHost();
	e["group"] = pal.getGroup();
	e["version"] = pal.getVersion();
	e["enc"] = pal.getEncode();
	e["compatible"] = pal.isCompatible();
	e["online"] = pal.isOnline();
	return e;
}

class Driver
{
      public:
	Driver(const char *config, std::string downloads)
	    : data(std::make_shared<ProgramData>(std::make_shared<IptuxConfig>(config))), core(data),
	      downloads(std::move(downloads))
	{
		data->path = this->downloads;
		core.signalEvent.connect(
		    [this](std::shared_ptr<const Event> e) { print(describe_event(*e)); });
	}

	void start()
	{
		core.start();
		print(event("ready"));
	}

	void stop()
	{
		core.stop();
		print(event("stopped"));
	}

	void command(const std::string &line)
	{
		std::istringstream in(line);
		std::string name;

		in >> name;
		if (name == "pals")
			return list_pals();
		if (name == "detect")
			core.SendDetectPacket(word(in));
		else if (name == "msg")
			send_message(in);
		else if (name == "group")
			send_group(in);
		else if (name == "name")
			rename(in);
		else if (name == "setenc")
			set_encoding(in);
		else if (name == "file")
			offer(in);
		else if (name == "recv")
			receive(in);
		else
			throw std::runtime_error("no such command: " + line);
		print(event("ok"));
	}

      private:
	std::shared_ptr<ProgramData> data;
	CoreThread core;
	std::string downloads;
	std::map<int, FileInfo> offers; // what others offered us, by the number we print
	uint32_t next_file_id = 10000;

	static std::string word(std::istream &in)
	{
		std::string w;

		in >> w;
		return w;
	}

	static std::string rest(std::istream &in)
	{
		std::string line, text;

		std::getline(in >> std::ws, line);
		for (size_t i = 0; i < line.size(); i++) {
			if (line[i] == '\\' && i + 1 < line.size())
				text += line[++i] == 'n' ? '\n' : line[i];
			else
				text += line[i];
		}
		return text;
	}

	PPalInfo pal(std::istream &in)
	{
		std::string ip = word(in);
		PPalInfo p = core.GetPal(ip);

		if (!p)
			throw std::runtime_error("iptux knows no peer at " + ip);
		return p;
	}

	void list_pals()
	{
		for (const auto &p : core.GetPalList())
			print(describe("pal", *p));
		print(event("pals_end"));
	}

	void send_message(std::istream &in)
	{
		PPalInfo to = pal(in);

		if (!core.SendMessage(CPPalInfo(to), rest(in)))
			throw std::runtime_error("iptux refused to send");
	}

	void send_group(std::istream &in)
	{
		PPalInfo to = pal(in);

		core.SendGroupMessage(to->GetKey(), rest(in));
	}

	void rename(std::istream &in)
	{
		data->nickname = rest(in);
		core.UpdateMyInfo();
	}

	void set_encoding(std::istream &in)
	{
		PPalInfo to = pal(in);

		to->setEncode(word(in));
	}

	void offer(std::istream &in)
	{
		PPalInfo to = pal(in);
		std::vector<FileInfo *> files;
		std::string all, path;

		std::getline(in >> std::ws, all);
		std::istringstream paths(all);
		char between = all.find('\t') == std::string::npos ? ' ' : '\t';
		while (std::getline(paths, path, between)) {
			struct stat st;

			if (path.empty())
				continue;
			if (stat(path.c_str(), &st))
				throw std::runtime_error("no such file: " + path);
			auto f = std::make_shared<FileInfo>();
			f->fileid = next_file_id++;
			f->fileattr =
			    S_ISDIR(st.st_mode) ? FileAttr::DIRECTORY : FileAttr::REGULAR;
			f->fileown = to;
			f->filepath = strdup(path.c_str());
			f->filectime = static_cast<uint32_t>(st.st_ctime);
			f->filemtime = static_cast<uint32_t>(st.st_mtime);
			f->filenum = static_cast<uint32_t>(files.size());
			f->ensureFilesizeFilled();
			core.AddPrivateFile(f);
			files.push_back(f.get());
		}
		core.BcstFileInfoEntry({ to.get() }, files);
	}

	void receive(std::istream &in)
	{
		int number = -1;

		in >> number;
		auto *f = new FileInfo(offers.at(number));
		std::string name = word(in);
		std::string path = downloads + "/" + (name.empty() ? f->filepath : name);
		free(f->filepath);
		f->filepath = strdup(path.c_str());
		core.RecvFileAsync(f); // takes f
	}

	Json::Value describe_event(const Event &e)
	{
		switch (e.getType()) {
		case EventType::NEW_PAL_ONLINE:
			return describe("up",
					*static_cast<const NewPalOnlineEvent &>(e).getPalInfo());
		case EventType::PAL_UPDATE:
			return describe("change",
					*static_cast<const PalUpdateEvent &>(e).getPalInfo());
		case EventType::PAL_OFFLINE: {
			Json::Value down = event("down");
			down["ip"] =
			    static_cast<const PalOfflineEvent &>(e).GetPalKey().GetIpv4String();
			return down;
		}
		case EventType::NEW_MESSAGE:
			return describe_message(
			    static_cast<const NewMessageEvent &>(e).getMsgPara());
		case EventType::NEW_SHARE_FILE_FROM_FRIEND:
			return describe_offer(
			    static_cast<const NewShareFileFromFriendEvent &>(e).GetFileInfo());
		case EventType::SEND_FILE_STARTED:
			return describe_transfer("send_started", e);
		case EventType::SEND_FILE_FINISHED:
			return describe_transfer("send_finished", e);
		case EventType::RECV_FILE_STARTED:
			return describe_transfer("recv_started", e);
		case EventType::RECV_FILE_FINISHED:
			return describe_transfer("recv_finished", e);
		default: {
			Json::Value other = event("other");
			other["type"] = static_cast<int>(e.getType());
			return other;
		}
		}
	}

	// iptux tells a message that was not acknowledged as one whose source is "error".
	static Json::Value describe_message(const MsgPara &m)
	{
		static const char *const sources[] = { "pal", "self", "error" };
		Json::Value e = event("message");
		std::string text;

		for (const ChipData &part : m.dtlist)
			text += part.data;
		e["from"] = text_of(m.getPal()->ipv4);
		e["source"] = sources[static_cast<int>(m.stype)];
		e["kind"] = static_cast<int>(m.btype);
		e["text"] = text;
		return e;
	}

	Json::Value describe_offer(const FileInfo &f)
	{
		int number = static_cast<int>(offers.size());
		Json::Value e = event("offer");

		offers.emplace(number, f);
		e["offer"] = number;
		e["from"] = text_of(f.fileown->ipv4);
		e["name"] = f.filepath ? f.filepath : "";
		e["folder"] = f.fileattr == FileAttr::DIRECTORY;
		e["size"] = static_cast<Json::Int64>(f.filesize);
		e["file_id"] = f.fileid;
		e["packet_no"] = f.packetn;
		return e;
	}

	Json::Value describe_transfer(const char *name, const Event &e)
	{
		int task = static_cast<const AbstractTaskIdEvent &>(e).GetTaskId();
		Json::Value out = event(name);
		auto model = core.GetTransTaskStat(task);

		out["task"] = task;
		if (model) {
			out["status"] = model->getStatus();
			out["path"] = model->getFilePath();
			out["size"] = static_cast<Json::Int64>(model->getFileLength());
		}
		return out;
	}
};

} // namespace

int main(int argc, char **argv)
{
	if (argc != 3) {
		std::cerr << "usage: iptuxd CONFIG.json DOWNLOADS" << std::endl;
		return 2;
	}
	try {
		Driver driver(argv[1], argv[2]);
		std::string line;

		driver.start();
		while (std::getline(std::cin, line) && line != "quit") {
			try {
				if (!line.empty())
					driver.command(line);
			} catch (const std::exception &e) {
				Json::Value error = event("error");
				error["text"] = e.what();
				print(error);
			}
		}
		driver.stop();
	} catch (const Exception &e) {
		std::cerr << "iptuxd: " << e.what() << std::endl;
		return 1;
	}
	_exit(0); // its own clean-up ends threads that still run
}
