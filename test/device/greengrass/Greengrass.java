import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Stands in for lib/Greengrass.jar. It does to a device what the nucleus' installer does (easysetup/GreengrassSetup.java and
 * lifecyclemanager/KernelLifecycle.java in aws-greengrass/aws-greengrass-nucleus), with what users stumble on: exit code 0 where it
 * could not make the service, an --init-config that is not there ignored, values merged by the time of their file, alts/current kept.
 * As the service it stays until it is stopped, if its certificate and key are there. /run/shims/fails: the service cannot be made.
 */
public final class Greengrass {
    private static final Path UNIT = Paths.get("/etc/systemd/system/greengrass.service");

    private Greengrass() {}

    public static void main(String[] words) throws Exception {
        Path root = Paths.get(System.getProperty("root", "/greengrass/v2"));
        String init = null;
        boolean service = false;
        for (int i = 0; i < words.length; i++) {
            switch (words[i]) {
                case "--init-config": init = words[++i]; break;
                case "--component-default-user": i++; break;
                case "--setup-system-service": service = Boolean.parseBoolean(words[++i]); break;
                default:
                    System.err.println("Undefined command line argument: " + words[i]);
                    System.exit(1);
            }
        }
        Map<String, String> config = mergedConfig(root, init == null ? null : new File(init));
        if (!service) {
            stay(root, config);
            return;
        }
        copyDistro(root);
        if (makeService(root)) {
            System.out.println("Successfully set up Nucleus as a system service");
        } else {
            System.out.println("Unable to set up Nucleus as a system service");
        }
        System.exit(0);
    }

    /** The log of values with their times; the values of the file count where it is newer. */
    private static Map<String, String> mergedConfig(Path root, File init) throws IOException {
        Path log = root.resolve("config/config.tlog");
        Map<String, String> values = new TreeMap<>();
        Map<String, Long> times = new TreeMap<>();
        if (Files.exists(log)) {
            for (String line : Files.readAllLines(log)) {
                String[] parts = line.split("\t", 3);
                times.put(parts[0], Long.valueOf(parts[1]));
                values.put(parts[0], parts[2]);
            }
        }
        if (init != null && init.isFile()) {
            long time = init.lastModified();
            for (String line : Files.readAllLines(init.toPath())) {
                int colon = line.indexOf(": ");
                if (colon < 0 || line.trim().startsWith("#")) continue;
                String key = line.substring(0, colon).trim();
                if (times.getOrDefault(key, 0L) > time) continue;
                times.put(key, time);
                values.put(key, line.substring(colon + 2).replaceAll("^\"|\"$", ""));
            }
        }
        Files.createDirectories(log.getParent());
        List<String> lines = new ArrayList<>();
        for (Map.Entry<String, String> value : values.entrySet()) lines.add(value.getKey() + "\t" + times.get(value.getKey()) + "\t" + value.getValue());
        Files.write(log, lines, StandardCharsets.UTF_8);
        List<String> effective = values.entrySet().stream().map(value -> value.getKey() + ": \"" + value.getValue() + "\"").collect(Collectors.toList());
        Files.write(root.resolve("config/effectiveConfig.yaml"), effective, StandardCharsets.UTF_8);
        return values;
    }

    private static void copyDistro(Path root) throws Exception {
        for (String name : Arrays.asList("logs", "work", "plugins", "telemetry", "deployments", "cli_ipc_info", "alts/init")) Files.createDirectories(root.resolve(name));
        Path current = root.resolve("alts/current");
        if (!Files.exists(current)) {
            Path jar = Paths.get(Greengrass.class.getProtectionDomain().getCodeSource().getLocation().toURI());
            Path from = jar.getParent().getParent();
            Path to = root.resolve("packages/artifacts-unarchived/aws.greengrass.Nucleus/x/aws.greengrass.nucleus");
            List<Path> all;
            try (Stream<Path> found = Files.walk(from)) {
                all = found.collect(Collectors.toList());
            }
            for (Path path : all) {
                Path target = to.resolve(from.relativize(path).toString());
                if (Files.isDirectory(path)) Files.createDirectories(target);
                else Files.copy(path, target, StandardCopyOption.REPLACE_EXISTING);
            }
            to.resolve("bin/loader").toFile().setExecutable(true);
            Path distro = root.resolve("alts/init/distro");
            Files.deleteIfExists(distro);
            Files.createSymbolicLink(distro, to);
            Files.deleteIfExists(current);
            Files.createSymbolicLink(current, root.resolve("alts/init"));
        }
        String options = String.join(" ", ManagementFactory.getRuntimeMXBean().getInputArguments());
        Files.write(root.resolve("alts/init/launch.params"), options.getBytes(StandardCharsets.UTF_8));
    }

    private static boolean makeService(Path root) throws Exception {
        Path init = Paths.get("/sbin/init");
        if (!Files.isSymbolicLink(init) || !Files.readSymbolicLink(init).toString().contains("systemd")) return false;
        if (Files.exists(Paths.get("/run/shims/fails"))) return false;
        String unit = new String(Files.readAllBytes(root.resolve("alts/current/distro/bin/greengrass.service.template")), StandardCharsets.UTF_8);
        Files.write(UNIT, unit.replace("REPLACE_WITH_GG_LOADER_FILE", root + "/alts/current/distro/bin/loader").getBytes(StandardCharsets.UTF_8));
        for (String call : Arrays.asList("daemon-reload", "unmask greengrass.service", "stop greengrass.service", "start greengrass.service", "enable greengrass.service")) {
            List<String> words = new ArrayList<>(Arrays.asList("systemctl"));
            words.addAll(Arrays.asList(call.split(" ")));
            if (new ProcessBuilder(words).inheritIO().start().waitFor() != 0) return false;
        }
        return true;
    }

    /** The service: it needs what a nucleus needs for its first connection. */
    private static void stay(Path root, Map<String, String> config) throws Exception {
        for (String key : Arrays.asList("certificateFilePath", "privateKeyPath", "rootCaPath", "thingName", "iotDataEndpoint")) {
            String value = config.get(key);
            boolean isThere = value != null && !value.isEmpty() && (!key.endsWith("Path") || Files.isReadable(Paths.get(value)));
            if (isThere) continue;
            Files.write(root.resolve("logs/loader.log"), ("no " + key + "\n").getBytes(StandardCharsets.UTF_8));
            System.exit(1);
        }
        Files.write(root.resolve("logs/greengrass.log"), "started\n".getBytes(StandardCharsets.UTF_8));
        Thread.currentThread().join();
    }
}
