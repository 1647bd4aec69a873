"""A real browser without a screen (Debian's Chromium), and what a person does with it."""

from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

SECONDS = 30
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
         "--window-size=900,1100")


def start_chromium(profile, any_certificate=False):
    """The caller quits it. `profile`: a folder of its own, in which it keeps its cookies."""
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    options.accept_insecure_certs = any_certificate
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    browser = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
    browser.set_page_load_timeout(SECONDS)
    return browser


def shown_text(browser):
    return browser.find_element(By.TAG_NAME, "body").text


def wait_until(browser, done, what):
    # The page may change between finding something and looking at it.
    waiting = WebDriverWait(browser, SECONDS,
                            ignored_exceptions=[NoSuchElementException, StaleElementReferenceException])
    return waiting.until(done, what)


def wait_for_text(browser, text):
    wait_until(browser, lambda b: text in shown_text(b), f"no '{text}' on the page")


def press(browser, words):
    """A button or link, which may be on a page that is still coming."""
    xpath = f"//button[normalize-space()='{words}'] | //a[normalize-space()='{words}']"
    wait_until(browser, lambda b: b.find_element(By.XPATH, xpath), f"no '{words}' on the page").click()


def fill(browser, **fields):
    for name, value in fields.items():
        field = wait_until(browser, lambda b, name=name: b.find_element(By.NAME, name), f"no field '{name}'")
        field.clear()
        field.send_keys(value)


def errors(browser):
    """What the content security policy or the network refused."""
    return [line["message"] for line in browser.get_log("browser") if line["level"] == "SEVERE"]
