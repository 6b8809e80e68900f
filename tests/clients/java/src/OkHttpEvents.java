import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.sse.EventSource;
import okhttp3.sse.EventSourceListener;
import okhttp3.sse.EventSources;

public final class OkHttpEvents extends EventSourceListener {
  private static final OkHttpClient CLIENT =
      new OkHttpClient.Builder().readTimeout(40, TimeUnit.SECONDS).build(); // above the heartbeat's 15
  private static final ScheduledExecutorService TIMER = Executors.newScheduledThreadPool(1);
  private static String cursor = Told.AFTER;
  private static int failures = 0;

  public static void main(String[] args) {
    connect();
  }

  private static void connect() {
    Request request =
        new Request.Builder()
            .url(Told.URL + "/events")
            .header("Authorization", "Bearer " + Told.KEY)
            .header("Last-Event-ID", cursor)
            .build();
    EventSources.createFactory(CLIENT).newEventSource(request, new OkHttpEvents());
  }

  private static void comeBack() {
    TIMER.schedule(OkHttpEvents::connect, Told.backoff(failures++), TimeUnit.MILLISECONDS);
  }

  @Override
  public void onOpen(EventSource source, Response response) {
    Told.say("is", "open");
  }

  @Override
  public void onEvent(EventSource source, String id, String type, String data) {
    failures = 0;
    cursor = id;
    if ("heartbeat".equals(type)) return;
    String name = type == null ? "message" : type;
    Told.say("is", "event", "name", name, "id", id, "text", data);
  }

  @Override
  public void onClosed(EventSource source) {
    Told.say("is", "closed");
    comeBack();
  }

  @Override
  public void onFailure(EventSource source, Throwable error, Response response) {
    boolean isRefused = response != null && response.code() != 200;
    if (isRefused) Told.say("is", "refused", "status", response.code());
    else Told.say("is", "closed", "message", error);
    if (isRefused && response.code() == 403) System.exit(0);
    comeBack();
  }
}
